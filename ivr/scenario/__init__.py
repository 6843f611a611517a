"""Tests of flows without a phone: `*.test.yaml`, run in virtual time."""
