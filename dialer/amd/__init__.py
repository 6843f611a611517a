"""What answered: streaming detectors over 20 ms blocks of audio. Pure: a block says when it was."""
