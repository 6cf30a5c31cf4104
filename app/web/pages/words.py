"""What the app's own enum values are called on a page: every word wrapped for translation."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l

WORDS: dict[str, dict[str, Any]] = {
    "status": {
        "new": _l("New"),
        "open": _l("Open"),
        "pending": _l("Pending"),
        "solved": _l("Solved"),
        "closed": _l("Closed"),
    },
    "priority": {"low": _l("Low"), "normal": _l("Normal"), "high": _l("High"), "urgent": _l("Urgent")},
    "channel": {"email": _l("E-mail"), "chat": _l("Chat"), "form": _l("Form"), "api": _l("API")},
    "tier": {"standard": _l("Standard"), "plus": _l("Plus"), "business": _l("Business")},
    "band": {"high": _l("high band"), "medium": _l("medium band"), "low": _l("low band")},
    "role": {"agent": _l("Agent"), "analyst": _l("Analyst"), "admin": _l("Administrator")},
    "task_role": {
        "intent": _l("Intent"),
        "sentiment": _l("Sentiment"),
        "emotion": _l("Emotion"),
        "market_sentiment": _l("Sentiment towards a company"),
        "market_topic": _l("Topic"),
    },
    "alert": {
        "inactive": _l("Inactive"),
        "pending": _l("Pending"),
        "firing": _l("Firing"),
        "recovering": _l("Recovering"),
        "resolved": _l("Resolved"),
    },
    "severity": {"info": _l("Info"), "warning": _l("Warning"), "critical": _l("Critical")},
    "sla": {"ok": _l("on time"), "at_risk": _l("due soon"), "breached": _l("overdue"), "met": _l("answered")},
    "feed_kind": {"push": _l("Push (API)"), "rss": _l("RSS or Atom"), "file": _l("File")},
    "subject": {"entity": _l("Company"), "topic": _l("Topic"), "feed": _l("Feed"), "market": _l("Whole market")},
    "message": {"incoming": _l("Message"), "outgoing": _l("Reply"), "note": _l("Internal note")},
    "language": {
        "en": _l("English"),
        "zh": _l("Chinese"),
        "de": _l("German"),
        "fr": _l("French"),
        "es": _l("Spanish"),
        "it": _l("Italian"),
        "nl": _l("Dutch"),
        "pt": _l("Portuguese"),
        "pl": _l("Polish"),
        "ja": _l("Japanese"),
        "und": _l("Not determined"),
    },
    "urgency_part": {
        "intent": _l("What is asked for"),
        "anger": _l("Anger in the message"),
        "sentiment_negative": _l("Negative sentiment"),
        "sentiment_positive": _l("Positive sentiment"),
        "words_no_hurry": _l("Says there is no hurry"),
        "words_fraud": _l("Words of fraud or theft"),
        "words_legal": _l("Words of legal action"),
        "words_urgent": _l("Words of urgency"),
        "words_now": _l("NOW or TODAY in capitals"),
        "words_stuck": _l("Cannot pay or get in"),
        "words_repeat": _l("Has written before"),
        "words_leaving": _l("Threatens to leave"),
        "words_deadline": _l("Names a deadline"),
        "shouting": _l("Capitals or exclamation marks"),
        "tier_standard": _l("Customer tier"),
        "tier_plus": _l("Customer tier: plus"),
        "tier_business": _l("Customer tier: business"),
        "sla_breached": _l("Answer overdue"),
        "sla_soon": _l("Answer due within the hour"),
        "sla_near": _l("Answer due within 4 hours"),
        "cap": _l("Limit of 0 to 100"),
    },
    "scope": {
        "predict": _l("Ask the model"),
        "messages:write": _l("Send in messages"),
        "tickets:read": _l("Read tickets"),
        "tickets:write": _l("Read and change tickets"),
        "posts:read": _l("Read posts and series"),
        "posts:write": _l("Send in posts"),
        "alerts:read": _l("Read alerts and rules"),
        "alerts:write": _l("Change alerts and rules"),
        "admin": _l("Everything"),
    },
    "metric": {
        "accuracy": _l("accuracy"),
        "macro_recall": _l("macro recall"),
        "macro_f1": _l("macro F1"),
        "weighted_f1": _l("weighted F1"),
    },
    "slot": {"live": _l("Live"), "shadow": _l("Shadow")},
    "action": {"set_status": _l("set status"), "add_tag": _l("add tag"), "route": _l("move to queue")},
    "alert_verb": {
        "created": _l("The alert began"),
        "acknowledged": _l("Acknowledged"),
        "silenced": _l("Silenced"),
        "moved": _l("Changed"),
    },
    "transition": {
        "met": _l("the condition is met and must hold"),
        "fired": _l("the condition held"),
        "cleared": _l("the condition is gone"),
        "returned": _l("the condition came back"),
        "rule_off": _l("the rule was switched off"),
    },
    "verdict": {
        "met": _l("The condition is met."),
        "too_few_stories": _l("Too few stories in the window."),
        "too_few_negative": _l("Too few negative stories in the window."),
        "share_below": _l("The negative share is below the threshold."),
        "lift_below": _l("The negative share is not far enough above the usual."),
    },
    "mail": {
        "refused": _l("the other side refused it for good"),
        "put_off": _l("the other side asked to come again later"),
        "sign_in_refused": _l("the mail server refused the user name or the password"),
        "unreachable": _l("the mail server cannot be reached"),
        "unknown_host": _l("the mail server cannot be reached"),
        "timeout": _l("the mail server took too long"),
        "tls_failed": _l("the mail server's certificate was not accepted"),
        "not_public": _l("the mail server has a private address, which is not allowed here"),
        "mailbox_off": _l("the mailbox is switched off"),
        "secret_unreadable": _l("the mailbox's password cannot be read"),
        "no_folder": _l("the mailbox has no such folder"),
        "broken_answer": _l("the mail server's answer was not understood"),
    },
    "routing": {
        "rule": _l("by the rule of its intent"),
        "no_intent": _l("no intent was predicted"),
        "abstained": _l("the model was not sure enough"),
        "out_of_scope": _l("none of the known intents fits"),
        "no_rule": _l("no rule names a queue for this intent"),
        "rule_without_queue": _l("the rule leaves it where it arrives"),
        "routing_off": _l("routing by the model is switched off"),
    },
    "reason": {
        "recency": _l("new"),
        "popularity": _l("carried by several sources"),
        "similar_to_above": _l("like one further up"),
    },
    "macro_reason": {
        "intent": _l("answers this intent"),
        "intent_uncertain": _l("answers the best guess"),
        "intent_second": _l("answers a second guess"),
        "general": _l("fits any ticket"),
    },
}


def word(kind: str, value: object) -> str:
    """The translated word for an enum value; a value without one is shown with its underscores opened."""
    text = "" if value is None else str(value)
    known = WORDS[kind].get(text)
    return str(known) if known is not None else text.replace("_", " ")
