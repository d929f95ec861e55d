"""A whole configuration judged: for each router of the inventory, or each client that it names."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from bootz.dhcp.check.answers import Model
from bootz.dhcp.check.doubts import Explored, World, explore
from bootz.dhcp.check.findings import Finding, Severity
from bootz.dhcp.check.subjects import Subject, stranger, subjects_of
from bootz.dhcp.check.verdicts import ServedOutcome, judge
from bootz.dhcp.records import DhcpPlan
from bootz.wire.redirect import RedirectShape, decode_redirect
from bootz.wire.uri import BootzUri

_TOLD: Final = 3
"""Routers that are named in one finding; of the others their number is told."""


def check_models(
    models: Sequence[Model], plan: DhcpPlan | None, unreachable: Mapping[BootzUri, str]
) -> tuple[Finding, ...]:
    """Return every mistake; the plan, if there is one, is the site's inventory.

    ``unreachable``: URIs that were found to have no server, with what was found.
    """
    findings: list[Finding] = []
    for model in models:
        findings += _Check(model, plan, unreachable).run()
    unique = dict.fromkeys(findings)
    return tuple(sorted(unique, key=lambda each: each.severity is not Severity.ERROR))


def uris_of(models: Sequence[Model], plan: DhcpPlan | None) -> tuple[BootzUri, ...]:
    """Return every URI that a router may be told, each once."""
    return tuple(dict.fromkeys(uri for model in models for uri in _Check(model, plan, {}).uris()))


@dataclass(slots=True)
class _Form:
    """Who is told a list at one place, by the mark of the platform."""

    octets: bytes
    shape: RedirectShape
    names: dict[str, dict[str, None]] = field(default_factory=dict)


@dataclass(slots=True)
class _Check:
    model: Model
    plan: DhcpPlan | None
    unreachable: Mapping[BootzUri, str]
    _open: dict[tuple[str, str], dict[str, None]] = field(default_factory=dict)
    _forms: dict[tuple[str, bytes], _Form] = field(default_factory=dict)

    def run(self) -> Iterator[Finding]:
        """Return the findings of one model."""
        model = self.model
        yield from (Finding(note.code, note.where, note.detail) for note in model.notes)
        yield from (Finding("not-evaluated", note.where, note.detail) for note in model.doubts)
        subjects = subjects_of(model, self.plan)
        yield from subjects.findings
        judged = [(subject, self._explore(subject)) for subject in subjects.judged]
        told = any(each.redirect for _, explored in judged for each in explored.outcomes)
        recorded = any(subject.recorded for subject in subjects.judged)
        for subject, explored in judged:
            if told and not subject.recorded and _is_other(explored):
                if self.plan is None:
                    yield Finding("host-without-redirect", subject.where, "it is told no server")
                continue
            found = self._verdict(subject, explored)
            # Where the inventory says who is a router, a stranger's fault stops none of them.
            mild = recorded and not subject.recorded
            yield from (replace(each, weight=Severity.WARNING) if mild else each for each in found)
        yield from self._strangers(alone=not judged)
        yield from self._left_open()
        yield from self._shapes()

    def uris(self) -> Iterator[BootzUri]:
        """Return every URI that a router may be told."""
        subjects = subjects_of(self.model, self.plan).judged or (stranger(self.model),)
        for subject in subjects:
            for outcome in self._explore(subject).outcomes:
                sent = outcome.redirect
                if sent is not None and sent.octets is not None:
                    yield from decode_redirect(sent.octets).uris

    def _explore(self, subject: Subject) -> Explored[ServedOutcome]:
        """Judge a router in every world; how it names itself is one more doubt."""

        def evaluate(world: World) -> ServedOutcome:
            *others, last = subject.variants
            for client in others:
                if world.holds(f"{subject.name} sends {client.told_duid()}", subject.where):
                    return judge(client, self.model.answer(client, world), self.unreachable)
            return judge(last, self.model.answer(last, world), self.unreachable)

        return explore(evaluate)

    def _verdict(self, subject: Subject, explored: Explored[ServedOutcome]) -> Iterator[Finding]:
        outcomes = explored.outcomes
        usable = [each for each in outcomes if not each.faults and not each.open]
        faults = dict.fromkeys(fault for each in outcomes for fault in each.faults)
        opened = [each for each in outcomes if each.open]
        if faults and not usable and not opened and explored.whole:
            yield from self._certain(faults)
            return
        for outcome in usable:
            yield from outcome.remarks
            self._remember(subject, outcome)
        if len(usable) == len(outcomes) and explored.whole:
            return
        for each in opened:
            for finding in each.open:
                self._leave_open(finding.where, finding.detail, subject)
        for doubt in explored.doubts if usable and faults else ():
            self._leave_open(doubt.where, f"it is not known whether {doubt.what}", subject)
        if not explored.whole:
            self._leave_open(subject.where, "it has too many conditions", subject)

    def _certain(self, faults: Mapping[Finding, None]) -> Iterator[Finding]:
        """Return faults, unless something may change every answer: then they are not certain."""
        for fault in faults:
            if self.model.doubts:
                yield Finding("not-evaluated", fault.where, f"{fault.code}: {fault.detail}")
            else:
                yield fault

    def _leave_open(self, where: str, detail: str, subject: Subject) -> None:
        self._open.setdefault((where, detail), {})[subject.name] = None

    def _left_open(self) -> Iterator[Finding]:
        for (where, detail), names in self._open.items():
            yield Finding("not-evaluated", where, f"{detail}; it decides for {_told(names)}")

    def _remember(self, subject: Subject, outcome: ServedOutcome) -> None:
        sent, shape = outcome.redirect, outcome.shape
        if sent is None or sent.octets is None or shape is None:
            return
        form = self._forms.setdefault((sent.where, sent.octets), _Form(sent.octets, shape))
        mark = subject.variants[0].mark
        form.names.setdefault(mark.value if mark else "", {})[subject.name] = None

    def _shapes(self) -> Iterator[Finding]:
        """Return the lists of another form than RFC 8572's that no mark calls right."""
        codes = {RedirectShape.TEXT: "text-redirect", RedirectShape.U8: "u8-redirect"}
        for (where, octets), form in self._forms.items():
            code = codes.get(form.shape)
            unmarked = form.names.get("")
            if code is None or unmarked is None:
                continue
            words = f"octets {octets[:24].hex()}…"
            marked = form.names.get(form.shape.value)
            if marked:
                words += f"; {_told(marked)} read it (marked {form.shape.value})"
            if self.plan is not None:
                words += f"; no mark says whether {_told(unmarked)} can"
            yield Finding(code, where, words)

    def _strangers(self, *, alone: bool) -> Iterator[Finding]:
        """Tell whether routers that no line names are answered; ``alone``: there are no others."""
        subject = stranger(self.model)
        explored = self._explore(subject)
        silent = all(
            each.silent or (each.refused and not each.redirect) for each in explored.outcomes
        )
        refused = any(note.code == "refused" for note in self.model.notes)
        if not silent:
            words = "clients that no line names are answered"
            yield Finding("strangers-served", self.model.name, words)
        if alone and silent and not refused:
            found = Finding("serves-no-router", self.model.name, "no router gets an answer")
            yield from self._certain({found: None})
        elif alone and not silent:
            yield from self._verdict(subject, explored)


def _is_other(explored: Explored[ServedOutcome]) -> bool:
    """Return whether a client is told no server in any world: a printer, it may be."""
    return all(
        each.faults and each.redirect is None and not each.silent for each in explored.outcomes
    )


def _told(names: Mapping[str, None]) -> str:
    listed = list(names)
    more = f" and {len(listed) - _TOLD} more" if len(listed) > _TOLD else ""
    return ", ".join(listed[:_TOLD]) + more
