"""What a client raises."""

from bootz.client.generated.models import Problem


class ApiProblem(Exception):
    """The site did not do what was asked; nothing has changed.

    ``status`` is HTTP's, ``reason`` a code of ``bootz reasons``, ``problem`` the whole answer with
    the next action and every single error.
    """

    def __init__(self, status: int, problem: Problem) -> None:
        super().__init__(f"{status} {problem.reason}: {problem.detail}")
        self.status = status
        self.reason = problem.reason
        self.problem = problem


class ApiUnavailable(Exception):
    """The site does not answer, or what answers is no site of Bootz."""
