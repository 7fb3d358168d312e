"""Code shared by several channels: applications, kept answers, error responses, pages, parsers of bodies and values."""

from crossdock.channels.plumbing.answers import KeptAnswers, Told
from crossdock.channels.plumbing.applications import answering, quiet_app, refusing
from crossdock.channels.plumbing.bodies import (
    is_json,
    json_text,
    kind_of,
    read_document,
    read_json,
)
from crossdock.channels.plumbing.forms import (
    DEPTH_MAX,
    FIELDS_MAX,
    Unreadable,
    multipart_pairs,
    nested,
    root,
    urlencoded_pairs,
)
from crossdock.channels.plumbing.pages import Pages
from crossdock.channels.plumbing.spooling import Rendered, Spool, compressed
from crossdock.channels.plumbing.values import JsonNumber, as_list, exact, whole

__all__ = [
    "DEPTH_MAX",
    "FIELDS_MAX",
    "JsonNumber",
    "KeptAnswers",
    "Pages",
    "Rendered",
    "Spool",
    "Told",
    "Unreadable",
    "answering",
    "as_list",
    "compressed",
    "exact",
    "is_json",
    "json_text",
    "kind_of",
    "multipart_pairs",
    "nested",
    "quiet_app",
    "read_document",
    "read_json",
    "refusing",
    "root",
    "urlencoded_pairs",
    "whole",
]
