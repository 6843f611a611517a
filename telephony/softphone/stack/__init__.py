"""The only code that loads pjsua2 (GPL): it lives in the softphone's own process and nowhere else."""
