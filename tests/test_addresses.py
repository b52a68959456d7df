"""What logs in to an address is in no text; everything else of the text stays."""

import os
import pickle
import time
from pathlib import Path

import pytest

from adaptstilts.addresses import keep_secret, shown_address, without_secrets
from adaptstilts.errors import StoreError
from adaptstilts.store.remote import Remote

ADDRESSES = {
    "s3://KEY:Geheim1@bucket/x": "s3://***@bucket/x",
    "s3:/KEY:Geheim1@bucket/x": "s3:/***@bucket/x",
    "s3://KEY:Ge/heim/1@bucket/x": "s3://***@bucket/x",
    "gs://:Geheim1@bucket": "gs://***@bucket",
    "https://user:Ge@heim1@host/p": "https://***@host/p",
    "https://Geheim1@host/p": "https://***@host/p",
    "ftp://user:Ge heim1@host/x": "ftp://***@host/x",
    "hf://user:Geheim1@datasets/o/n": "hf://***@datasets/o/n",
    "simplecache::https://u:Geheim1@host/x": "simplecache::https://***@host/x",
    "zip://a.zip::s3://u:Geheim1@bucket/b.zip": "zip://a.zip::s3://***@bucket/b.zip",
    "https://a:Geheim1@h/x,https://b:Geheim2@k/y": "https://***@h/x,https://***@k/y",
    "https://%75:%47eheim1@host": "https://***@host",
    "abfss://container:Geheim1@account/x": "abfss://***@account/x",
    "https://h/x?token=Geheim1&page=2": "https://h/x?token=***&page=2",
    "https://h/x?page=2&X-Amz-Signature=Geheim1;2&X-Amz-Date=1": "https://h/x?page=2&X-Amz-Signature=***&X-Amz-Date=***",
    "https://h/x?AWSAccessKeyId=Geheim1&Expires=9": "https://h/x?AWSAccessKeyId=***&Expires=9",
    "https://h/x?sv=1&sig=Geheim1%3D": "https://h/x?sv=1&sig=***",
    "gs://h/x?token=Geheim1: not installed": "gs://h/x?token=***: not installed",
    "https://h/x?token=Ge:heim1&page=2": "https://h/x?token=***&page=2",
    "https://h/x#access_token=Geheim1": "https://h/x#access_token=***",
    "https://h/x?apikey=Geheim1;password=Geheim2": "https://h/x?apikey=***",
    "https://h/x?next=https%3A%2F%2Fu%3AGeheim1%40host": "https://h/x?next=https%3A%2F%2F***%40host",
    "GET /x?key=Geheim1 HTTP/1.1": "GET /x?key=*** HTTP/1.1",
    "{'Authorization': 'Bearer Geheim1'}": "{'Authorization': 'Bearer ***'}",
    "Authorization: Basic dXNlcjpHZWhlaW0x": "Authorization: Basic ***",
    'x-amz-security-token: "Geheim1"': 'x-amz-security-token: "***"',
    "Filesystem(host='h', password='Geheim1')": "Filesystem(host='h', password='***')",
    '{"api_key": "Geheim1"}': '{"api_key": "***"}',
    "invalid user token hf_GeheimGeheimGeheim": "invalid user token ***",
}
PLAIN = (
    "http://127.0.0.1:8000/a@b",
    "hf://datasets/owner/name@main/file",
    "abfs://container@account.dfs.example.org/x",
    "https://[::1]:8080/x?page=2",
    "see https://example.org: ask me@example.org",
    "the tokenizer has no padding token: <pad>",
    "pad_token='<pad>', mask_token='<mask>'",
    "C:/Users/me@home/x",
    "data/a.json:3: 'x' is not a key. Allowed: a, b",
    "memory://study/x",
    "file:///home/me@here/x",
    "target.tasks=[xnli] store=s3://bucket/x",
)


@pytest.mark.parametrize(("text", "shown"), ADDRESSES.items(), ids=range(len(ADDRESSES)))
def test_shown_address_hides_what_logs_in_and_nothing_else(text, shown):
    assert shown_address(text) == shown
    assert shown_address(shown) == shown
    assert shown_address(f"cannot open '{text}'\nand more") == f"cannot open '{shown}'\nand more"


@pytest.mark.parametrize("text", PLAIN)
def test_shown_address_returns_other_texts_as_they_are(text):
    assert shown_address(text) == text


def test_secrets_are_hidden_where_a_server_repeats_them_without_an_address():
    keep_secret("ftp://someone:Gross%26Geheim@host/x?token=nochGeheimer")
    assert shown_address("530 Gross&Geheim is wrong, so is nochGeheimer") == "530 *** is wrong, so is ***"
    assert shown_address("Gross%26Geheim, someone") == "***, someone"


@pytest.mark.parametrize("name", ["HF_TOKEN", "AWS_SECRET_ACCESS_KEY", "SOME_API_KEY", "MY_PASSWORD"])
def test_secrets_of_the_environment_are_hidden(monkeypatch, name):
    monkeypatch.setenv(name, "vollGeheim")
    assert shown_address("the hub does not know vollGeheim") == "the hub does not know ***"
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", "/run/identity")
    assert shown_address("/run/identity") == "/run/identity"


def test_without_secrets_leaves_an_address_that_names_the_file():
    assert without_secrets("https://h/get?file=de.tsv&token=x#top") == "https://h/get?file=de.tsv"
    assert without_secrets("https://h/a.zip?X-Amz-Signature=x&key=y") == "https://h/a.zip"


@pytest.mark.parametrize(
    "part", ["://", "https://", "https://a:b", "?a=", "bearer ", "%3A%2F%2F", "token='", "x-", "a."]
)
def test_shown_address_ends_soon_on_any_text(part):
    started = time.perf_counter()
    shown_address(f"s3:/x {part * 20_000}")
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize(
    "address", [address for address in ADDRESSES if address.startswith(("s3:/", "ftp", "https://"))]
)
def test_errors_hold_no_secrets_in_any_field(address):
    error = StoreError(f"{address} is gone", path=address, key=address, value=address, hint=address)
    assert "eheim" not in f"{error} {error!r} {pickle.dumps(error)!r}"
    assert "eheim" not in str(StoreError("no such thing", path=Path(address), allowed=[address]))


def test_remote_hands_its_address_on_in_the_environment(monkeypatch):
    remote = Remote("ftp://me:ganzGeheim@host/x")
    assert pickle.loads(pickle.dumps(remote)).address == remote.address
    remote.through_environment()
    pickled = pickle.dumps(remote)
    assert b"ganzGeheim" not in pickled
    assert pickle.loads(pickled).address == remote.address
    for name in [name for name in os.environ if name.startswith("ADAPTSTILTS_ADDRESS_")]:
        monkeypatch.delenv(name)
    with pytest.raises(StoreError, match=r"store: ftp://\*\*\*@host/x: \*\*\* stands for what logs in\. Put user and"):
        pickle.loads(pickled).read("x")
