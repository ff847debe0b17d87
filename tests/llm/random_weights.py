"""Models with random weights, made here: whatever they would say, decoding leaves them nothing but formulas."""

import pytest

from rune_smt.errors import QueryError
from rune_smt.grammar.dimensions import check
from rune_smt.grammar.nodes import free_variables
from rune_smt.grammar.reader import canonical_parser, read
from rune_smt.grammar.vocabulary import load_vocabulary
from rune_smt.translate.constrain import constrained
from rune_smt.translate.language_model import ModelTranslator
from rune_smt.translate.local_transformers import LocalModel, local_model
from rune_smt.translate.prompt import prompt

torch = pytest.importorskip("torch", reason="torch is not installed")
transformers = pytest.importorskip("transformers", reason="transformers is not installed")
pytest.importorskip("llguidance", reason="llguidance is not installed")

DOTA, FLOOD = load_vocabulary("dota-v1.5"), load_vocabulary("flood")
QUERY = "two ships near a harbor"


def tokenizer(merges: int):
    """Byte-level, trained on a prompt: `merges` tokens are longer than a byte; some straddle words and brackets."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=257 + merges,
        special_tokens=["<end>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    texts = [line for message in prompt(QUERY, DOTA) for line in message.content.splitlines()]
    made.train_from_iterator(texts, trainer)
    return transformers.PreTrainedTokenizerFast(tokenizer_object=made, eos_token="<end>", pad_token="<end>")


def random_model(seed: int, merges: int = 300, most_tokens: int = 120) -> LocalModel:
    """A transformer of one small layer with weights drawn from this seed."""
    words = tokenizer(merges)
    torch.manual_seed(seed)
    settings = transformers.LlamaConfig(
        vocab_size=len(words), hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2,
        num_key_value_heads=2, max_position_embeddings=16384, bos_token_id=0, eos_token_id=0, pad_token_id=0,
    )  # fmt: skip
    model = transformers.LlamaForCausalLM(settings).eval()
    return LocalModel(model, words, f"random-{seed}", most_tokens=most_tokens)


def assert_a_query(text, vocabulary):
    canonical_parser().parse(text)
    assert not free_variables(check(read(text), vocabulary, text))


@pytest.mark.parametrize("vocabulary", [DOTA, FLOOD], ids=["dota", "flood"])
@pytest.mark.parametrize("merges, most_tokens", [(0, 60), (300, 120), (300, 30), (800, 250)])
def test_every_answer_of_random_weights_is_a_formula(vocabulary, merges, most_tokens):
    rules = constrained(vocabulary)
    for seed in range(2):
        model = random_model(seed, merges, most_tokens)
        for temperature in (0.0, 1.0, 5.0):
            answer = model.answer(prompt(QUERY, vocabulary)[-1:], rules=rules, temperature=temperature, seed=seed)
            assert not answer.cut
            assert_a_query(answer.text, vocabulary)


def test_without_rules_random_weights_write_none():
    """What the test above shows is the constraint's doing."""
    model = random_model(0)
    answer = model.answer(prompt(QUERY, DOTA)[-1:], rules=None, temperature=1.0, seed=0)
    assert not constrained(DOTA).accepts(answer.text)


def test_a_translation_by_random_weights_is_a_query():
    translation = ModelTranslator(random_model(3), samples=3)(QUERY, DOTA)
    assert 0 < translation.agreement <= 1
    assert sum(candidate.votes for candidate in translation.candidates) == 3
    assert translation.unusable == 0


def test_the_same_seed_gives_the_same_answer():
    model = random_model(5)
    asked = prompt(QUERY, DOTA)[-1:]

    def said(temperature, seed):
        return model.answer(asked, rules=constrained(DOTA), temperature=temperature, seed=seed).text

    assert said(0.0, 1) == said(0.0, 2)
    assert said(1.0, 1) == said(1.0, 1)
    assert len({said(1.0, seed) for seed in range(4)}) > 1


def test_a_saved_model_is_loaded_by_its_folder(tmp_path):
    model = random_model(7)
    model.model.save_pretrained(tmp_path / "tiny")
    model.tokenizer.save_pretrained(tmp_path / "tiny")
    loaded = local_model(str(tmp_path / "tiny"))
    asked = prompt(QUERY, DOTA)[-1:]
    assert loaded.name == "tiny"
    loaded.most_tokens = model.most_tokens
    assert loaded.answer(asked, rules=constrained(DOTA), temperature=0.0, seed=0) == model.answer(
        asked, rules=constrained(DOTA), temperature=0.0, seed=0
    )


@pytest.mark.parametrize("name", ["/nowhere/at-all", "/nowhere/model.gguf"])
def test_a_model_that_is_not_there(name, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(QueryError, match=r"cannot be loaded|No such file"):
        local_model(name)


def test_no_model_named(monkeypatch):
    monkeypatch.delenv("RUNE_SMT_MODEL", raising=False)
    with pytest.raises(QueryError, match="No model is named"):
        local_model()
