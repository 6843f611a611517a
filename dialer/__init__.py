"""Outbound campaigns: lists, attempts, compliance, pacing, answering-machine detection. Pure."""
