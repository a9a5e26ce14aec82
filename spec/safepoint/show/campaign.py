"""What `safepoint campaign` did, what was there already, and what it found."""

from __future__ import annotations

from collections.abc import Iterator

from safepoint.show.failures import failure_text
from safepoint.verify.campaign import Campaign, Subject

MOST = 5
"""Jobs without a verdict that are named."""


def campaign_lines(campaign: Campaign) -> Iterator[str]:
    """A line for each subject, also of a campaign that was ended; failures last."""
    for subject in campaign.subjects:
        yield subject_line(subject)
        if ways := subject.ways:
            yield f"    {', '.join(f'{count:,} {how}' for how, count in ways.most_common())}"
        missing = list(subject.left_out.items())
        yield from (f"    left out: {name}: {why}" for name, why in missing[:MOST])
        if len(missing) > MOST:
            yield f"    left out: {len(missing) - MOST} more"
    for subject in campaign.subjects:
        yield from map(failure_text, subject.failures)


def subject_line(subject: Subject) -> str:
    done = subject.made + subject.there
    of = f"{done:,} of {subject.planned:,}" if done < subject.planned else f"{done:,}"
    counted = sum(each.count for each in subject.found)
    return (
        f"{subject.name}: {of} jobs, {subject.made:,} made now and {subject.there:,} there already:"
        f" {counted:,} {subject.unit}, {subject.refuted} refuted"
    )
