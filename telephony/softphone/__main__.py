"""`python -m telephony.softphone`: see process.py."""

from __future__ import annotations

import sys

from telephony.softphone.process import main

sys.exit(main())
