"""The shape of metrics.json, which export writes, and of the result of `evaluate`, `compare` and `report`."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict, get_args

Figures = dict[str, Any]
"""The figures of a corpus: `task`, `n`, and the scores that its task has (training/evaluate/metrics.py)."""


class LabelRow(TypedDict):
    """Scores of one label."""

    label: str
    n: int
    precision: float
    recall: float
    f1: float


class ConfusedPair(TypedDict):
    """A label and a wrong answer, with the number of rows that got it."""

    label: str
    answer: str
    n: int


class ReliabilityBin(TypedDict):
    """Mean confidence, share of right answers and number of rows of a confidence bin."""

    confidence: float
    right: float
    n: int


class Calibration(TypedDict):
    """Calibration error, and the mean error of a perfectly calibrated model on the same confidences."""

    n: int
    ece: float
    ece_if_perfect: float
    overconfidence: float
    bins: NotRequired[list[ReliabilityBin]]


CurvePoint = TypedDict("CurvePoint", {"coverage": float, "risk": float, "from": float})
"""A point of the risk-coverage curve; `from` is the lowest confidence that is answered."""


class Abstention(TypedDict):
    """Coverage and precision at a threshold; `promised` is the precision that the threshold was chosen for."""

    threshold: float
    coverage: float
    precision: float | None
    promised: NotRequired[float]
    area: NotRequired[float]
    curve: NotRequired[list[CurvePoint]]


class CorpusDetail(TypedDict):
    """A corpus in detail; `intervals` are 95 % intervals [low, high] by figure."""

    task: str
    headline: str
    intervals: dict[str, list[float]]
    labels: list[LabelRow]
    calibration: Calibration
    abstention: Abstention
    confusion: NotRequired[list[list[int]]]
    confused: NotRequired[list[ConfusedPair]]
    out_of_scope_recall_at_95: NotRequired[float]


class Perturbed(TypedDict):
    """Accuracy on perturbed texts, and the share of the clean accuracy that is kept, with its 95 % interval."""

    accuracy: float
    kept: float
    interval: list[float]


class AttackFigures(TypedDict):
    """Result of the word-substitution attack (training/evaluate/attack.py)."""

    n: int
    attackable: int
    turned: int
    success_rate: float


Perturbation = Literal["typo", "lower_case", "upper_case", "no_punctuation", "phrase"]
PERTURBATIONS: tuple[Perturbation, ...] = get_args(Perturbation)


class Robustness(TypedDict):
    """Accuracy of a corpus on clean and on perturbed texts."""

    task: str
    n: int
    clean: float
    typo: Perturbed
    lower_case: Perturbed
    upper_case: Perturbed
    no_punctuation: Perturbed
    phrase: Perturbed
    attack: NotRequired[AttackFigures]


class FailedCase(TypedDict):
    """A text of a behaviour test that failed, and the model's answer."""

    text: str
    answer: str


class BehaviourResult(TypedDict):
    """A behaviour test on one task, with a few of the cases that failed."""

    name: str
    kind: str
    task: str
    n: int
    failed: int
    examples: list[FailedCase]


class Speed(TypedDict):
    """Throughput over a mix of texts, and the median time of a single text."""

    texts_per_second: float
    one_text_ms: float
    texts: int
    cores: int
    machine: str


class Size(TypedDict):
    """Bytes that the server loads, and bytes of the weights among them."""

    served_bytes: int
    weights_bytes: int


class CloserFigures(TypedDict):
    """The figures of closer_evaluation.py, by task, by corpus, or of the whole artifact."""

    heads: dict[str, Calibration]
    details: dict[str, CorpusDetail]
    robustness: dict[str, Robustness]
    behaviours: list[BehaviourResult]
    speed: Speed
    size: Size


class HeadlineRow(TypedDict):
    """The figure by which a corpus is usually compared, on the int8 and on the float32 graph."""

    corpus: str
    task: str
    metric: str
    n: int
    int8: float
    float32: float
    difference: float
    interval: NotRequired[list[float]]


class Sample(TypedDict):
    """The figures of a random sample of each corpus, from which a test measures the artifact again."""

    seed: int
    figures: dict[str, Figures]


class Metrics(CloserFigures):
    """metrics.json; figures by corpus."""

    headline: list[HeadlineRow]
    int8: dict[str, Figures]
    float32: dict[str, Figures]
    sample: Sample


class Evaluation(CloserFigures):
    """The result of `evaluate --out`; `report` reads it, or a metrics.json."""

    artifact: NotRequired[str]
    headline: NotRequired[list[HeadlineRow]]
    int8: dict[str, Figures]


class DifferenceRow(TypedDict):
    """Second minus first figure with its 95 % interval; `better` is the share of draws in which the second leads."""

    value: float
    low: float
    high: float
    better: float
    verdict: str


class LabelDifference(TypedDict):
    """F1 of a label with the first and with the second artifact."""

    label: str
    n: int
    first: float
    second: float


class CorpusComparison(TypedDict):
    """Headline figure of a corpus with both artifacts."""

    corpus: str
    task: str
    metric: str
    n: int
    first: float
    second: float
    difference: DifferenceRow
    labels: list[LabelDifference]


class Comparison(TypedDict):
    """Two artifacts on the same rows."""

    first: str
    second: str
    corpora: list[CorpusComparison]
