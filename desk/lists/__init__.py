"""Lists of leads and do-not-call registers on their way in and out: reading files, import jobs, exports."""
