"""The additions of mail clients to a message: quoted conversation, signature, closing formula."""

from __future__ import annotations

import re
from collections.abc import Sequence

_WROTE = r"(?:wrote|writes|schrieb|a écrit|escribió|ha scritto|schreef|escreveu|napisał\(a\)|skrev|написал\(а\)|写道)"
_ON = r"(?:on|am|le|el|il|op|em|dne|w dniu|den|在|vào)"
_ATTRIBUTION_START = re.compile(rf"{_ON}[ \xa0,]", re.I)
_ATTRIBUTION_END = re.compile(rf"{_WROTE}.{{0,80}}[:：]$", re.I)
_DATED = re.compile(r"\d{4}|\d:\d\d|@|年")
_FORWARDED = re.compile(
    r"(?:-{2,} ?)?(?:begin )?(?:forwarded message|weitergeleitete nachricht|message transféré|mensaje reenviado"
    r"|转发的邮件)\b ?:?(?: ?-{2,})?$",
    re.I,
)
_ORIGINAL = re.compile(
    r"[-_=*>\s]{2,20}(?:original message|original appointment|ursprüngliche nachricht|message d'origine"
    r"|mensaje original|messaggio originale|oorspronkelijk bericht|mensagem original|original email"
    r"|原始邮件|原始信息)[-_=*<\s]{2,20}$",
    re.I,
)
_REPLY_ABOVE = re.compile(r"\W{0,8}(?:please )?(?:type your )?reply above this line", re.I)
_HEADER_FROM = re.compile(r"\*?(?:from|von|de|da|van|发件人|od) ?\*?[:：]\*? ?\S", re.I)
_HEADER_OTHER = re.compile(
    r"\*?(?:sent|date|to|cc|subject|gesendet|datum|an|betreff|envoyé|à|objet|enviado|fecha|para|asunto|inviato|a|oggetto"
    r"|verzonden|aan|onderwerp|发送时间|日期|收件人|主题|抄送) ?\*?[:：]",
    re.I,
)
_RULE = re.compile(r"[_=-]{10,}$")
_DEVICE = re.compile(
    r"(?:sent from (?:my |a |the )?(?:[\w+'-]+ ){0,4}?(?:iphone|ipad|ipod|android|galaxy\S*|samsung\S*|huawei\S*"
    r"|pixel\S*|xiaomi|oneplus|nokia|blackberry|phone|smartphone|mobile|device|tablet|windows|yahoo|outlook|gmail"
    r"|proton|mail)"
    r"(?: (?:using|with|for|on|via|mail|app|phone|device|mobile|smartphone|\d).{0,40})?[.!]?"
    r"|get outlook for \w+.{0,60}"
    r"|sent (?:with|via|using) (?:proton|yahoo|outlook|mailbird|spark|superhuman|airmail).{0,60}"
    r"|envoyé de(?:puis)? mon .{1,40}"
    r"|von meinem .{1,40} gesendet|enviado desde mi .{1,40}|inviato da(?:l mio)? .{1,40}|verzonden vanaf .{1,40}"
    r"|发自我的.{1,20})$",
    re.I,
)
_CLOSING = re.compile(
    r"(?:(?:kind|best|warm|warmest|kindest|many|with (?:kind|best))? ?regards|best(?: wishes)?|sincerely(?: yours)?"
    r"|yours sincerely|yours faithfully|yours truly|respectfully|cheers|mit freundlichen grüßen"
    r"|cordialement|saludos)[,.!]?$",
    re.I,
)
_POSTSCRIPT = re.compile(r"p\.? ?s\b", re.I)
_LETTER = re.compile(r"[^\W_]")
_LONGEST_LINE = 400  # no attribution, header or formula is longer; longer lines are never matched against a pattern
_SIGNATURE_LINES, _CLOSING_LINES, _CLOSING_WIDTH = 15, 6, 60


def without_quotes(text: str) -> str:
    """Return a text without the conversation that it quotes; replies between quoted lines are kept."""
    lines = text.split("\n")
    kept: list[str] = []
    at, forwarded_at = 0, -10
    while at < len(lines):
        line = _bare(lines[at])
        if _FORWARDED.match(line):
            forwarded_at = at
        if _begins_quoted_rest(lines, at=at) and at - forwarded_at > 3:
            break
        n_lines = _attribution_lines(lines, at=at)
        if n_lines and not _is_quoted(_next_filled(lines, at=at + n_lines)):
            break
        if not n_lines and not _is_quoted(lines[at]):
            kept.append(lines[at])
        at += n_lines or 1
    return "\n".join(kept)


def without_signature(text: str) -> str:
    """Return a text without its signature (after a `-- ` line), `Sent from my …`, closing formula and name."""
    lines = text.split("\n")
    for at, line in enumerate(lines):
        if at and line.rstrip() == "--" and (line == "-- " or _is_short(lines, after=at)):
            lines = lines[:at]
            break
    lines = [line for line in lines if not _DEVICE.match(_bare(line))]
    closing = _closing_at(lines)
    return "\n".join(lines if closing is None else lines[:closing])


def has_words(text: str) -> bool:
    """Return True for a text with at least one letter or digit."""
    return _LETTER.search(text) is not None


def _bare(line: str) -> str:
    return "" if len(line) > _LONGEST_LINE else line.strip()


def _is_quoted(line: str) -> bool:
    return line.lstrip(" ").startswith(">")


def _next_filled(lines: Sequence[str], *, at: int) -> str:
    return next((line for line in lines[at : at + 4] if line.strip()), "")


def _begins_quoted_rest(lines: Sequence[str], *, at: int) -> bool:
    line = _bare(lines[at])
    if not line:
        return False
    if _ORIGINAL.match(line) or _REPLY_ABOVE.match(line):
        return True
    if _RULE.match(line):
        return _is_header_block(lines, at=at + 1)
    return _is_header_block(lines, at=at)


def _is_header_block(lines: Sequence[str], *, at: int) -> bool:
    """Return True for `From:` with at least two other mail headers in the next lines."""
    if at >= len(lines) or not _HEADER_FROM.match(_bare(lines[at])):
        return False
    return sum(_HEADER_OTHER.match(_bare(line)) is not None for line in lines[at + 1 : at + 8]) >= 2


def _attribution_lines(lines: Sequence[str], *, at: int) -> int:
    """Return the number of lines (0–3) of an attribution at `at`, like `On 3 May 2024, Ann <ann@x.org> wrote:`."""
    joined = ""
    for n_lines, line in enumerate(lines[at : at + 3], start=1):
        bare = _bare(line)
        if not bare or _is_quoted(line):
            return 0
        joined = f"{joined} {bare}".strip()
        if len(joined) > _LONGEST_LINE:
            return 0
        has_start = _ATTRIBUTION_START.match(joined) is not None
        if joined[-1] in ":：" and _ATTRIBUTION_END.search(joined) and _DATED.search(joined):
            return n_lines if has_start or "<" in joined or "写道" in joined else 0
        if not has_start:
            return 0
    return 0


def _is_short(lines: Sequence[str], *, after: int) -> bool:
    if len(lines) - after > 3 * _SIGNATURE_LINES:
        return False
    return sum(bool(line.strip()) for line in lines[after + 1 :]) <= _SIGNATURE_LINES


def _closing_at(lines: Sequence[str]) -> int | None:
    """Return the line of a closing formula that only a few short lines follow; None without one."""
    n_after = 0
    for at in range(len(lines) - 1, 0, -1):
        line = lines[at].strip()
        if _CLOSING.match(_bare(line)):
            return at
        n_after += bool(line)
        if n_after > _CLOSING_LINES or len(line) > _CLOSING_WIDTH or line.endswith("?") or _POSTSCRIPT.match(line):
            return None
    return None
