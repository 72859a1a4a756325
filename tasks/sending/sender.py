"""Send one chunk after the other for a run, and stop the run where no call may follow."""

from globe_sms.tasks.campaign.chunk_history import History
from globe_sms.tasks.campaign.send_record import SendRecord
from globe_sms.tasks.planning.frozen_plan import Chunk
from globe_sms.tasks.sending.presentation import Presentation
from globe_sms.tasks.sending.sending_window import ExpiredError, OutsideHoursError
from globe_sms.tasks.sending.submission import ClaimLostError, Submission
from globe_sms.tasks.sending.submission_parts import SubmissionParts
from globe_sms.tasks.vocabulary.errors import InputError, LeaseLostError, SendRecordLostError, StoreError
from globe_sms.tasks.vocabulary.row_reasons import RowReason
from globe_sms.tasks.vocabulary.stop_signal import Stop, StopCause, StoppedError


class Sender(SubmissionParts):
    """Sends the chunks of one campaign for one run. Thread-safe; every method may block until the stop."""

    def send(self, chunk: Chunk, history: History, positions: tuple[int, ...] | None = None) -> SendRecord | None:
        """Present a chunk, or these positions of it, with retries as long as it is proved that nothing was sent.

        Returns the send record, which is in the ledger by then; None if nothing was claimed: all of its numbers are
        left out, the run was stopped or the campaign's end came before, or another run has the chunk.

        Raises:
            OutsideHoursError: its recipients may not be texted now; it may be sent later.
        """
        presentation = Presentation.of(chunk, positions)
        if not presentation.size:
            return None
        try:
            return self._present(Submission(self, presentation, history))
        except SendRecordLostError as error:
            self.stop.set(Stop(StopCause.STORE_DOWN, f"{error}"))
            return None

    def _present(self, submission: Submission) -> SendRecord | None:
        try:
            return submission.run()
        except ClaimLostError:
            return None
        except OutsideHoursError:
            raise OutsideHoursError(submission.abandon(RowReason.QUIET_HOURS)) from None
        except (ExpiredError, StoppedError) as error:
            return submission.abandon(RowReason.EXPIRED if isinstance(error, ExpiredError) else None)
        except SendRecordLostError:
            raise
        except LeaseLostError as error:  # found before the first claim
            self.stop.set(Stop(StopCause.LEASE_LOST, f"{error}"))
            return submission.abandon()
        except StoreError as error:
            self.stop.set(Stop(StopCause.STORE_DOWN, f"{error} No call is made without its claim."))
            return submission.abandon()
        except InputError as error:  # credentials that could not be refreshed
            self.stop.set(Stop(StopCause.STOPPED, f"{error}"))
            return submission.abandon()
