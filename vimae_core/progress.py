"""Lines that tell how a training goes: each whole and with the run's name, so that those of many may be mixed."""

import time

from vimae_core.store import say
from vimae_core.training import Training

TOLD_EVERY = 60.0  # seconds from one line of a training to the next


class Teller:
    """Tells of one training: that it begins, once a minute how far it is, and that it is done."""

    def __init__(self, name: str, training: Training):
        self.training = training
        self.title = f"{name}  {training.config.label} seed {training.config.seed}"
        self.first = (training.step, 0.0)  # of this process, and the seconds before
        self.told = time.monotonic()

    def begins(self, seconds: float) -> None:
        """`seconds` were spent on it before, by a process that was stopped."""
        training, epochs = self.training, self.training.config.epochs
        self.first, self.told = (training.step, seconds), time.monotonic()
        at = f"goes on at epoch {self._epoch()} of {epochs}" if training.step else f"begins, {epochs} epochs"
        self._line(f"{at} of {training.steps_per_epoch} steps")

    def goes_on(self, seconds: float) -> None:
        """After so many seconds in all: a line where it is done, or where the last one is a minute old."""
        training = self.training
        if training.step == training.total_steps:
            self._line(f"done, {training.config.epochs} epochs in {seconds:.1f} s; {self._terms()}")
        elif time.monotonic() - self.told >= TOLD_EVERY:
            self.told = time.monotonic()
            step, before = self.first
            left = (training.total_steps - training.step) * (seconds - before) / (training.step - step)
            end = time.strftime("%H:%M" if left < 12 * 3600 else "%d %B %H:%M", time.localtime(time.time() + left))
            self._line(f"epoch {self._epoch()} of {training.config.epochs}; {self._terms()}; done about {end}")

    def _epoch(self) -> int:
        return -(-max(1, self.training.step) // self.training.steps_per_epoch)

    def _terms(self) -> str:
        """The loss and its terms, means over the last epoch's worth of steps."""
        training = self.training
        recent = training.log[max(0, training.step - training.steps_per_epoch) : training.step].mean(0).tolist()
        return ", ".join(f"{term} {value:.4g}" for term, value in zip(training.terms, recent, strict=True))

    def _line(self, text: str) -> None:
        say(f"{self.title}: {text}\n")
