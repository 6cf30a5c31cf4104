"""A real but tiny encoder, made in a second: BERT's architecture with seeded random weights and its own word pieces."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_WORDS = [
    "a",
    "about",
    "account",
    "after",
    "against",
    "all",
    "am",
    "an",
    "and",
    "apple",
    "are",
    "as",
    "at",
    "back",
    "bad",
    "bank",
    "bill",
    "buy",
    "by",
    "can",
    "cancel",
    "card",
    "cash",
    "change",
    "charge",
    "company",
    "complaint",
    "contact",
    "cost",
    "customer",
    "cut",
    "day",
    "delivery",
    "did",
    "do",
    "does",
    "down",
    "drop",
    "earnings",
    "email",
    "exchange",
    "fall",
    "fee",
    "for",
    "forecast",
    "from",
    "fund",
    "gain",
    "get",
    "good",
    "great",
    "growth",
    "happy",
    "has",
    "have",
    "help",
    "hello",
    "hour",
    "how",
    "i",
    "in",
    "invoice",
    "is",
    "it",
    "its",
    "late",
    "lost",
    "love",
    "market",
    "me",
    "message",
    "million",
    "missing",
    "money",
    "month",
    "more",
    "my",
    "need",
    "new",
    "news",
    "no",
    "not",
    "number",
    "of",
    "on",
    "open",
    "order",
    "password",
    "pay",
    "payment",
    "people",
    "phone",
    "pin",
    "please",
    "price",
    "profit",
    "quarter",
    "rate",
    "refund",
    "report",
    "rise",
    "sad",
    "sell",
    "shares",
    "shop",
    "so",
    "stock",
    "stolen",
    "surge",
    "tesla",
    "thank",
    "the",
    "they",
    "thing",
    "this",
    "to",
    "today",
    "top",
    "track",
    "transfer",
    "tweet",
    "up",
    "us",
    "user",
    "very",
    "want",
    "was",
    "way",
    "we",
    "week",
    "what",
    "when",
    "where",
    "which",
    "who",
    "why",
    "will",
    "with",
    "world",
    "worse",
    "wrong",
    "year",
    "you",
    "your",
]


def _pieces() -> list[str]:
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    single = [*letters, *".,!?'\"-:;()[]{}@#$%&*/+=_<>|~^"]
    return [
        *_SPECIAL,
        *single,
        *(f"##{letter}" for letter in letters),
        *_WORDS,
        *(f"##{end}" for end in ("s", "ed", "ing", "ly", "er")),
    ]


def tiny_tokenizer() -> Tokenizer:
    """A WordPiece tokenizer of a few hundred pieces that knows every ASCII letter and digit."""
    vocabulary = {piece: at for at, piece in enumerate(dict.fromkeys(_pieces()))}
    tokenizer = Tokenizer(models.WordPiece(vocab=vocabulary, unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", vocabulary["[CLS]"]), ("[SEP]", vocabulary["[SEP]"])],
    )
    tokenizer.decoder = decoders.WordPiece()
    return tokenizer


def tiny_encoder(folder: Path, *, seed: int = 0, width: int = 32, layers: int = 2) -> Path:
    """Write the encoder (config, weights, tokenizer.json) to `folder` and return it."""
    tokenizer = tiny_tokenizer()
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=2,
        intermediate_size=4 * width,
        max_position_embeddings=256,
    )
    folder.mkdir(parents=True, exist_ok=True)
    BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    names = {
        "pad_token": "[PAD]",
        "unk_token": "[UNK]",
        "cls_token": "[CLS]",
        "sep_token": "[SEP]",
        "mask_token": "[MASK]",
    }
    cast(Any, PreTrainedTokenizerFast)(tokenizer_object=tokenizer, model_max_length=128, **names).save_pretrained(
        folder
    )
    return folder
