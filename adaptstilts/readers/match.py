"""Readers of queries and of the candidates to search for their answers: LAReQA (XQuAD-R) and Mewsli-X."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from adaptstilts.errors import DataError
from adaptstilts.formatting import number_text, shown
from adaptstilts.readers.json_positions import Located, line_of
from adaptstilts.readers.lines import Request, json_document, json_id, json_lines, json_text
from adaptstilts.readers.sentences import sentence_spans
from adaptstilts.tasks.examples import Candidate, MatchExample

Span = tuple[int, int]
DROPPED = ("question", "whose answer begins in no sentence")
"""Key under which `Request.dropped` counts such questions of LAReQA."""

_BRACES = re.compile(r"\{(.*?)\}")


def read_xquad_r(request: Request) -> Iterator[MatchExample]:
    """Read the questions of XQuAD-R, each to be answered by the sentence in which its answer begins.

    A question whose answer begins in no sentence is left out, as LAReQA's own reader does, and counted. The file is in
    SQuAD's format with ``sentence_breaks`` in each paragraph.

    Yields:
        The questions; their target is their id, which parallel questions of all languages share.
    """
    for paragraph in _paragraphs(request, _breaks):
        for question in paragraph.questions:
            yield MatchExample(question.id, question.text, question.id)


def read_xquad_r_candidates(request: Request) -> Iterator[Candidate]:
    """Read the sentences of XQuAD-R, each with its paragraph as context.

    Yields:
        Every sentence, with an id of language, number of its paragraph from 1 and position in it from 0, as in LAReQA's
        own reader. It answers the questions whose answer begins in it or in an equal sentence of its paragraph.
    """
    for number, context, sentences, questions in _paragraphs(request, _breaks):
        question_ids: dict[str, list[str]] = {}
        for question in questions:
            question_ids.setdefault(context[slice(*question.sentence)], []).append(question.id)
        for position, span in enumerate(sentences):
            text = context[slice(*span)]
            yield Candidate(f"{request.language}_{number}_{position}", text, context, tuple(question_ids.get(text, ())))


def read_squad_sentences(request: Request) -> Iterator[MatchExample]:
    """Read SQuAD 1.1 as training pairs for LAReQA: a question, and the sentence in which its first answer begins.

    Sentences are cut by `adaptstilts.readers.sentences`, since SQuAD marks none; each has its paragraph as context. A
    question whose answer begins between two sentences, in white space, is left out and counted.
    """
    for number, context, sentences, questions in _paragraphs(request, lambda _, text, __: sentence_spans(text)):
        for question in questions:
            found = f"{number}_{sentences.index(question.sentence)}"
            candidate = Candidate(found, context[slice(*question.sentence)], context, (found,))
            yield MatchExample(question.id, question.text, found, candidate)


class _Question(NamedTuple):
    """A question, and the sentence in which its first answer begins."""

    id: str
    text: str
    sentence: Span


class _Paragraph(NamedTuple):
    """A paragraph: its number from 1, its text, its sentences, and the questions whose answer begins in one of them."""

    number: int
    context: str
    sentences: list[Span]
    questions: list[_Question]


def _paragraphs(request: Request, cut: Callable[[dict[str, Any], str, Path], list[Span]]) -> Iterator[_Paragraph]:
    """Yield the paragraphs of a file in SQuAD's format; errors name the line of their record.

    Args:
        cut: Returns the sentences of a paragraph, given its record, its text and, for errors, the file.
    """
    path, number = request.path, 0
    document = json_document(path)
    with Located(path, ()):
        articles = _list(document, "data", path)
    for above, article in enumerate(articles):
        with Located(path, ("data", above)):
            paragraphs = _list(article, "paragraphs", path)
        for below, paragraph in enumerate(paragraphs):
            number += 1
            steps = ("data", above, "paragraphs", below)
            with Located(path, steps):
                context = json_text(paragraph, "context", path, None)
                sentences = cut(paragraph, context, path)
                records = _list(paragraph, "qas", path)
            questions: list[_Question] = []
            for last, record in enumerate(records):
                with request.row, Located(path, (*steps, "qas", last)):
                    name, text = json_id(record, "id", path, None), json_text(record, "question", path, None)
                    sentence = _answer_sentence(record, context, sentences, path)
                    if sentence is None:
                        request.dropped[DROPPED] += 1
                    else:
                        questions.append(_Question(name, text, sentence))
            yield _Paragraph(number, context, sentences, questions)


def _list(record: object, key: str, path: Path) -> list[Any]:
    value = record.get(key) if isinstance(record, dict) else None
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise DataError("expected a list of objects", path=path, key=key, hint="Is this file in SQuAD's format?")
    return value


def _breaks(paragraph: dict[str, Any], context: str, path: Path) -> list[Span]:
    breaks = paragraph.get("sentence_breaks")
    if breaks is None:
        raise DataError(
            "no sentence boundaries: this is XQuAD, not XQuAD-R",
            path=path,
            key="sentence_breaks",
            hint="Use the files of xquad-r/ in google-research-datasets/lareqa, which mark sentences",
        )
    end = len(context)
    if not isinstance(breaks, list) or not all(_is_span(item, end) for item in breaks):
        raise DataError(f"expected pairs of offsets from 0 to {end}", path=path, key="sentence_breaks")
    return [(item[0], item[1]) for item in breaks]


def _is_span(item: object, end: int) -> bool:
    if not isinstance(item, list) or len(item) != 2 or not all(type(at) is int for at in item):
        return False
    return bool(0 <= item[0] < item[1] <= end)


def _answer_sentence(question: dict[str, Any], context: str, breaks: list[Span], path: Path) -> Span | None:
    """Return the sentence in which the first answer begins."""
    name = json_id(question, "id", path, None)
    answers = _list(question, "answers", path)
    if not answers:
        raise DataError("has no answer", path=path, key=name)
    start, text = answers[0].get("answer_start"), json_text(answers[0], "text", path, None)
    if type(start) is not int or start < 0 or not text or not context.startswith(text, start):
        raise DataError(
            f"the answer {shown(text)} is not at offset {shown(start)} of its context",
            path=path,
            key=name,
            hint="Offsets count characters of the context from 0",
        )
    return next((span for span in breaks if span[0] <= start < span[1]), None)


def read_mentions(request: Request) -> Iterator[MatchExample]:
    """Read the mentions of Mewsli-X in one language.

    A file may hold all languages (the publisher's) or one (XTREME's download, in which the test entities are blanked).
    An optional second file holds labels as ``{example_id: [entity_id]}``.

    Yields:
        The mentions in their sentence (see `mention_query`); the target is the entity, None where it is blank.
    """
    path = request.path
    labels = json_document(request.paths[1]) if len(request.paths) > 1 else None
    for line, record in json_lines(path, request.row):
        with request.row:
            context = _object(record, "context", path, line)
            if json_text(context, "language", path, line) != request.language:
                continue
            mentions = record.get("mentions")
            if not isinstance(mentions, list) or not all(isinstance(item, dict) for item in mentions):
                raise DataError("expected a list of mentions", path=path, line=line, key="mentions")
            for mention in mentions:
                name = json_id(mention, "example_id", path, line)
                target = json_id(mention, "entity_id", path, line)
                if labels is not None:
                    target = _label(labels, name, request.paths[1])
                yield MatchExample(name, mention_query(context, mention, path, line), target or None)


def read_entity_pairs(request: Request) -> Iterator[MatchExample]:
    """Read the training pairs of Mewsli-X: a mention in English Wikipedia, and the description of its entity."""
    path = request.path
    for line, record in json_lines(path, request.row):
        with request.row:
            pair = _object(record, "contextual_mention", path, line)
            mention = _object(pair, "mention", path, line)
            entity = _entity(_object(record, "entity", path, line), path, line)
            query = mention_query(_object(pair, "context", path, line), mention, path, line)
            yield MatchExample(json_id(mention, "example_id", path, line), query, entity.id, entity)


def read_entities(request: Request) -> Iterator[Candidate]:
    """Read the candidates of Mewsli-X: descriptions of entities, each of which answers its own id."""
    for line, record in json_lines(request.path):
        yield _entity(record, request.path, line)


def mention_query(context: dict[str, Any], mention: dict[str, Any], path: Path, line: int) -> str:
    """Return a mention as a query, such as "Anna: Yesterday { Anna } came".

    The mention stands first, so that it is not cut off, then its sentence with the mention in braces; other pairs of
    braces in the sentence become parentheses, white space is one space. A span that does not hold the mention or lies
    in no sentence is an error. Source: utils_mewslix.py of google-research/xtreme, the baseline of Ruder et al. 2021.
    """
    text = json_text(context, "text", path, line)
    span = _object(mention, "mention_span", path, line)
    words = json_text(span, "text", path, line)
    start, end = _offsets(span, text, path, line)
    if text[start:end] != words:
        raise DataError(
            f"the mention is {shown(words)}, but the text has {shown(text[start:end])} at offset {start}",
            path=path, line=line, key="mention_span", hint="Restore the article texts with the publisher's own script.",
        )  # fmt: skip
    sentences = (_offsets(item, text, path, line) for item in _spans(context, path, line))
    sentence = next((found for found in sentences if found[0] <= start and end <= found[1]), None)
    if sentence is None:
        raise DataError(
            f"the mention {shown(words)} is in none of the sentences", path=path, line=line, key="sentence_spans"
        )
    left, right = (_BRACES.sub(r"(\1)", part) for part in (text[sentence[0] : start], text[end : sentence[1]]))
    return " ".join(f"{words}: {left} {{ {words} }} {right}".split())


def _entity(record: dict[str, Any], path: Path, line: int) -> Candidate:
    name = json_id(record, "entity_id", path, line)
    text = json_text(record, "description", path, line)
    spans = [_offsets(item, text, path, line) for item in _spans(record, path, line)]
    return Candidate(name, " ".join(" ".join(text[start:end] for start, end in spans).split()), None, (name,))


def _spans(record: dict[str, Any], path: Path, line: int) -> list[dict[str, Any]]:
    spans = record.get("sentence_spans")
    if not isinstance(spans, list) or not all(isinstance(item, dict) for item in spans):
        raise DataError("expected a list of spans", path=path, line=line, key="sentence_spans")
    return spans


def _offsets(span: dict[str, Any], text: str, path: Path, line: int) -> Span:
    start, end = span.get("start"), span.get("end")
    if type(start) is not int or type(end) is not int or not 0 <= start < end <= len(text):
        raise DataError(
            f"{shown(start)} to {shown(end)} is not a span of a text of {number_text(len(text), 'character')}",
            path=path,
            line=line,
        )
    return start, end


def _object(record: dict[str, Any], key: str, path: Path, line: int) -> dict[str, Any]:
    value = record.get(key)
    if not isinstance(value, dict):
        raise DataError("expected an object", path=path, line=line, key=key)
    return value


def _label(labels: dict[str, Any], name: str, path: Path) -> str:
    found = labels.get(name)
    if not isinstance(found, list) or len(found) != 1 or not isinstance(found[0], str):
        line = line_of(path, name)
        raise DataError(f"expected a list of one entity, found {shown(found)}", path=path, line=line, key=name)
    return found[0]


POOL_READERS: dict[str, Callable[[Request], Iterator[Candidate]]] = {
    "xquad_r_candidates": read_xquad_r_candidates,
    "entities": read_entities,
}
"""Name in the `Layout.reader` of a pool -> function that reads its candidates."""
