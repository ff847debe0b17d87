"""The OpenAI path against a server of our own: what it is asked, and whatever may go wrong."""

import json
import socket
import sys

import pytest

import rune_smt as rune
from rune_smt.errors import LimitError, MissingExtra, QueryError
from rune_smt.grammar.printer import canonical
from rune_smt.translate.openai_server import OpenAiServer, ServerError
from tests.llm_server import Reply, serving

pytest.importorskip("openai", reason="openai is not installed")

GOLD = "exists x1 (ship(x1) & exists x2 (harbor(x2) & near(x1, x2)))"
SHIPS = "ships near a harbor"


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch):
    for name in ("BASE_URL", "MODEL", "API_KEY", "TIMEOUT", "CONSTRAIN", "WITH"):
        monkeypatch.delenv(f"RUNE_SMT_{name}", raising=False)
        monkeypatch.delenv(f"OPENAI_{name}", raising=False)
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


def translated(url, text=SHIPS, **options):
    return rune.translate(text, translator="openai", base_url=url, **options)


def refusal(error_type, *replies, models=("m",), **options):
    with serving(*replies, models=models) as (url, talk), pytest.raises(error_type) as caught:
        translated(url, **options)
    return str(caught.value).replace(url, "URL"), talk


# --- what is asked ----------------------------------------------------------------------------------------------------


def test_an_answer_becomes_a_query():
    with serving(GOLD) as (url, talk):
        query = translated(url)
    assert str(query) == GOLD
    assert query.translator == "m"
    assert query.agreement == 1.0
    assert [canonical(each.formula) for each in query.candidates] == [GOLD]
    (request,) = talk.requests
    assert request["model"] == "m"
    assert request["temperature"] == 0
    assert request["grammar"].startswith("root ::= ")
    assert request["messages"][0]["role"] == "system"
    assert request["messages"][-1] == {"role": "user", "content": "Query: ships near a harbor"}


def test_nothing_but_the_text_and_the_vocabulary_is_sent(monkeypatch):
    monkeypatch.setenv("RUNE_SMT_CONSTRAIN", "none")
    with serving(GOLD) as (url, talk):
        translated(url, "boats at the QUAYWORD")
    (request,) = talk.requests
    assert set(request) == {"model", "messages", "temperature", "seed", "max_tokens"}
    said = [message["content"] for message in request["messages"]]
    assert sum("QUAYWORD" in each for each in said) == 1


@pytest.mark.parametrize(
    "way, sent",
    [
        ("gbnf", lambda request: request["grammar"].startswith("root ::= body0")),
        ("llguidance", lambda request: request["grammar"].startswith("%llguidance {}")),
        ("regex", lambda request: "exists" in request["guided_regex"]),
        ("json", lambda request: "formula" in request["response_format"]["json_schema"]["schema"]["properties"]),
        ("none", lambda request: "grammar" not in request),
    ],
)
def test_each_way_to_hold_the_answer(monkeypatch, way, sent):
    monkeypatch.setenv("RUNE_SMT_CONSTRAIN", way)
    answer = json.dumps({"formula": GOLD}) if way == "json" else GOLD
    with serving(answer) as (url, talk):
        assert str(translated(url)) == GOLD
    assert sent(talk.requests[0])


def test_a_server_that_knows_no_grammar_is_asked_without():
    refused = Reply(status=400, body=json.dumps({"error": {"message": "Unrecognized request argument: grammar"}}))
    with serving(refused, GOLD) as (url, talk):
        assert str(translated(url)) == GOLD
    assert ["grammar" in request for request in talk.requests] == [True, False]


def test_the_environment_names_server_model_and_key(monkeypatch):
    with serving(GOLD) as (url, talk):
        monkeypatch.setenv("OPENAI_BASE_URL", url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
        monkeypatch.setenv("RUNE_SMT_MODEL", "large")
        assert str(rune.translate(SHIPS, translator="openai")) == GOLD
    assert talk.requests[0]["model"] == "large"
    assert talk.keys == ["Bearer sk-secret"]


# --- answers of every shape -------------------------------------------------------------------------------------------


def test_a_wrong_answer_is_asked_for_again_with_its_error():
    wrong = "exists x1 (shp(x1) & exists x2 (harbor(x2) & near(x1, x2)))"
    with serving(wrong, GOLD) as (url, talk):
        assert str(translated(url)) == GOLD
    again = talk.requests[1]["messages"]
    assert again[:-2] == talk.requests[0]["messages"]
    assert again[-2] == {"role": "assistant", "content": wrong}
    assert again[-1]["content"].startswith("No class or attribute 'shp' in vocabulary dota-v1.5.\n  exists x1 (shp(x1)")
    assert "^^^" in again[-1]["content"]
    assert "Nearest: ship." in again[-1]["content"]


def test_after_the_last_round_every_attempt_is_shown():
    said, talk = refusal(QueryError, "exists x1 (shp(x1))", "", "I am sorry, I cannot help with that.")
    assert len(talk.requests) == 3
    assert said == (
        "The language model m gave no formula in 3 attempts.\n"
        "1. exists x1 (shp(x1))\n"
        "   No class or attribute 'shp' in vocabulary dota-v1.5.\n"
        "     exists x1 (shp(x1))\n"
        "                ^^^\n"
        "   Nearest: ship.\n"
        "2. (empty)\n"
        "   The answer is empty.\n"
        "3. I am sorry, I cannot help with that.\n"
        "   The answer holds no formula.\n"
        "Say it in other words, or ask without a model: --with english."
    )


def test_half_an_answer_is_never_taken():
    """Cut off behind a whole formula too: what was to follow is not known."""
    cut = Reply("exists x1 (ship(x1))", finish="length")
    said, _ = refusal(QueryError, cut)
    assert "The answer was cut off before its end." in said
    with serving(cut, GOLD) as (url, _):
        assert str(translated(url)) == GOLD


def test_a_model_that_finds_no_word_says_so(monkeypatch):
    monkeypatch.setenv("RUNE_SMT_CONSTRAIN", "none")
    said, talk = refusal(QueryError, "CANNOT: helipad")
    assert said.startswith("The language model finds no word for 'helipad' in the vocabulary.")
    assert len(talk.requests) == 1


def test_lenient_lists_what_was_left_out(monkeypatch):
    monkeypatch.setenv("RUNE_SMT_CONSTRAIN", "none")
    with serving(f"{GOLD}\nLEFT OUT: blue, parked") as (url, talk):
        assert translated(url, "blue parked ships near a harbor", lenient=True).left_out == ("blue", "parked")
    assert "LEFT OUT:" in talk.requests[0]["messages"][0]["content"]
    with serving(GOLD) as (url, _):
        assert translated(url, "turquoise ships near a harbor", lenient=True).left_out == ("turquoise",)


# --- samples ----------------------------------------------------------------------------------------------------------


def test_samples_that_mean_the_same_are_one_group():
    other_words = "exists x (harbor(x) & exists y (ship(y) & near(x, y)))"
    different = "exists x1 (ship(x1) & exists x2 (harbor(x2) & inside(x1, x2)))"
    with serving(GOLD, other_words, different) as (url, talk):
        query = translated(url, samples=3)
    assert str(query) == GOLD
    assert query.agreement == pytest.approx(2 / 3)
    assert [(canonical(each.formula), each.votes) for each in query.candidates] == [(GOLD, 2), (different, 1)]
    scene = query.telling_scene
    assert scene is not None
    verdicts = {
        rune.search(archive_of(scene), rune.parse(text)).counts["satisfied"] for text in (GOLD, different)
    }
    assert verdicts == {0, 1}
    assert [request["temperature"] for request in talk.requests] == [0, 0.7, 0.7]
    assert len({request["seed"] for request in talk.requests}) == 3


def archive_of(scene):
    import pyarrow as pa
    import shapely

    document = scene.to_json()
    shapes = [shapely.Polygon(each["polygon"]) for each in document["entities"]]
    entities = pa.table(
        {
            "image_id": pa.array(["i"] * len(shapes), pa.string()),
            "label": [each["label"] for each in document["entities"]],
            "geometry": [shapely.to_wkb(shape) for shape in shapes],
        }
    )
    images = pa.table({"image_id": ["i"], "width": [document["width"]], "height": [document["height"]]})
    return rune.archive_from_arrow(entities, images)


def test_a_sample_without_a_formula_counts_against_the_agreement():
    with serving(GOLD, "no idea", "none", "nothing", GOLD) as (url, _):
        query = translated(url, samples=3)
    assert query.agreement == pytest.approx(2 / 3)


@pytest.mark.parametrize("samples", [0, -1, 51])
def test_so_many_samples_are_not_asked_for(samples):
    with serving(GOLD) as (url, talk), pytest.raises(QueryError, match="--samples is a whole number from 1"):
        translated(url, samples=samples)
    assert talk.requests == []


# --- servers that fail ------------------------------------------------------------------------------------------------


def test_nobody_listens():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        with pytest.raises(ServerError) as caught:
            translated(url, model="m")
    assert caught.value.message.startswith(f"No language model answers at {url}: ")
    assert "refused" in caught.value.message
    assert caught.value.hint == "Is the server running, and is --base-url right?"


def test_no_answer_in_time(monkeypatch):
    monkeypatch.setenv("RUNE_SMT_TIMEOUT", "0.2")
    said, talk = refusal(LimitError, Reply(GOLD, wait_s=30))
    assert said == "URL gave no answer within 0.2 s.\nRUNE_SMT_TIMEOUT sets how many seconds to wait."
    assert len(talk.requests) == 1


@pytest.mark.parametrize("text", ["soon", "0", "-3", "inf", "nan"])
def test_a_time_that_is_none(monkeypatch, text):
    monkeypatch.setenv("RUNE_SMT_TIMEOUT", text)
    with pytest.raises(QueryError, match="RUNE_SMT_TIMEOUT is a number of seconds"):
        OpenAiServer("m", "http://127.0.0.1:9/v1")


@pytest.mark.parametrize(
    "status, words",
    [
        (401, "refused with HTTP status 401 (the key is missing or wrong)"),
        (404, "refused with HTTP status 404 (no such model or address)"),
        (418, "refused with HTTP status 418: "),
    ],
)
def test_a_refusal_is_told_and_never_the_key(monkeypatch, status, words):
    monkeypatch.setenv("RUNE_SMT_API_KEY", "sk-secret")
    body = json.dumps({"error": {"message": "Incorrect API key provided: sk-secret"}})
    said, talk = refusal(ServerError, Reply(status=status, body=body))
    assert words in said
    assert "sk-secret" not in said
    assert len(talk.requests) == 1


def test_a_busy_server_is_asked_again_twice():
    busy = Reply(status=429, body="{}", headers={"Retry-After": "0"})
    with serving(busy, Reply(status=503, body="{}", headers={"Retry-After": "0"}), GOLD) as (url, talk):
        assert str(translated(url)) == GOLD
    assert len(talk.requests) == 3
    said, talk = refusal(ServerError, busy)
    assert "429 (too many requests, or no credit left)" in said
    assert len(talk.requests) == 3


@pytest.mark.parametrize(
    "reply, words",
    [
        (Reply(body="<html>welcome</html>"), "URL answered with something that is no JSON"),
        (Reply(body=""), "URL answered with something that is no JSON"),
        (Reply(body='{"choices": [{"message"'), "URL answered with something that is no JSON"),
        (Reply(body="{}"), "URL answered, but not with a chat completion."),
        (Reply(body='{"choices": []}'), "URL answered, but not with a chat completion."),
        (Reply(body='{"choices": [{}]}'), "URL answered, but not with a chat completion."),
        (Reply(body='["a"]'), "URL answered, but not with a chat completion."),
        (Reply(body='{"choices": [{"finish_reason": "stop", "message": {"content": [1]}}]}'), "that is no text"),
        (Reply(GOLD, claim=50), "No language model answers at URL"),
        (Reply(drop=True), "No language model answers at URL"),
        (Reply(body="welcome", headers={"Content-Type": "text/html"}), "URL answered"),
    ],
    ids=["html", "nothing", "half", "empty", "no choice", "no message", "list", "no text", "short", "dropped", "type"],
)
def test_what_is_no_completion(reply, words):
    said, _ = refusal(ServerError, reply)
    assert words in said
    assert "Traceback" not in said


def test_a_message_without_content_is_an_empty_answer():
    body = '{"choices": [{"finish_reason": "stop", "message": {"role": "assistant", "content": null}}]}'
    said, _ = refusal(QueryError, Reply(body=body))
    assert "The answer is empty." in said


@pytest.mark.parametrize("models, words", [((), "It lists none."), (("a", "b"), "It has: a, b.")])
def test_a_server_with_several_models_wants_one_named(models, words):
    said, _ = refusal(QueryError, GOLD, models=models)
    assert said.startswith("No model is named, and URL has not just one.")
    assert words in said


def test_neither_server_nor_key():
    with pytest.raises(QueryError) as caught:
        rune.translate(SHIPS, translator="openai")
    assert str(caught.value) == (
        "No language model server is named.\nGive --base-url, or set OPENAI_API_KEY for OpenAI's own."
    )


def test_no_model_of_the_vendor_is_guessed():
    with pytest.raises(QueryError, match="No model is named"):
        OpenAiServer(key="sk-x")


def test_without_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(MissingExtra) as caught:
        OpenAiServer("m", "http://127.0.0.1:9/v1")
    assert str(caught.value) == "openai is not installed.\npip install 'rune-smt[openai]'"


# --- the command line -------------------------------------------------------------------------------------------------


def run(*arguments):
    from typer.testing import CliRunner

    from rune_smt.cli.app import app

    return CliRunner().invoke(app, list(arguments))


def test_translate_prints_what_the_samples_meant():
    with serving(GOLD, "exists x1 (ship(x1) & exists x2 (harbor(x2) & inside(x1, x2)))", GOLD) as (url, _):
        options = ("--with", "openai", "--base-url", url, "--samples", "3")
        document = json.loads(run("translate", SHIPS, *options, "--json").stdout)
    assert document["formula"] == GOLD
    assert document["with"] == "m"
    assert [each["votes"] for each in document["candidates"]] == [2, 1]
    assert document["agreement"] == pytest.approx(2 / 3)
    assert document["telling_scene"]["entities"]
    with serving(GOLD, "exists x1 (ship(x1) & exists x2 (harbor(x2) & inside(x1, x2)))", GOLD) as (url, _):
        said = run("translate", SHIPS, "--with", "openai", "--base-url", url, "--samples", "3").stdout
    assert "agreement: 67% of the answers mean this" in said
    assert "tells the first two apart: " in said


def test_show_prompt_asks_no_model():
    said = run("translate", SHIPS, "--show-prompt").stdout
    assert said.startswith("prompt version ")
    assert "harbor(x)" in said and said.rstrip().endswith("Query: ships near a harbor")
