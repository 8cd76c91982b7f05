"""THE function: one request for one file, from any door, to its bytes or its refusal.

What is refused and what is unknown look alike from outside; the fetch log says why. What is
broken is never "not found": a phone that gets 404 may erase its settings, one that gets 503
tries again (DESIGN section 2).
"""

from __future__ import annotations

from dataclasses import replace

import structlog

from provisioning.crypto.digest import challenge_headers
from provisioning.domain.effective import resolve
from provisioning.domain.errors import BrokenRule
from provisioning.domain.mac import Mac
from provisioning.domain.phone import Phone
from provisioning.domain.settings import Scope
from provisioning.render.files import render_file
from provisioning.usecases.core import REALM, Core
from provisioning.usecases.events import answer_screen
from provisioning.usecases.moving import CA_FILE
from provisioning.usecases.proof import Proof, prove
from provisioning.usecases.requests import (
    Door,
    FileReply,
    FileRequest,
    Outcome,
    ScreenCredential,
)
from provisioning.usecases.serving import NOT_FOUND, find_wanted, reply_of, serve
from provisioning.usecases.sightings import Sighting, masked, printable
from provisioning.vendors import grammar
from provisioning.vendors.match import Recognition, read_name, recognise

_log = structlog.get_logger(__name__)

_FAILED = FileReply(Outcome.FAILED)


def fetch_file(core: Core, request: FileRequest) -> FileReply:
    """Answer a request for a file and queue its sighting.

    Never raises for anything a client can send; a failure of ours is FAILED.
    """
    seen = Sighting(
        at=core.clock(),
        door=request.door,
        address=str(request.peer),
        path=masked(request.path),
        user_agent=printable(request.user_agent),
    )
    try:
        reply = _answer(core, request, seen)
    except BrokenRule as error:
        seen.reason = printable(str(error))
        _log.error("fetch-failed", path=seen.path, code=error.code(), reason=seen.reason)
        reply = _FAILED
    except Exception as error:  # noqa: BLE001 - a listener lives through every bug
        seen.reason = f"{type(error).__name__} inside the server"
        _log.exception("fetch-failed", path=seen.path)
        reply = _FAILED
    seen.outcome = reply.outcome
    seen.size = len(reply.content)
    # A HEAD gets no bytes, so it must not pass for a phone that has them.
    seen.content_hash = reply.etag.strip('"') if request.method != "HEAD" else ""
    core.log.add(seen)
    return reply


def _answer(core: Core, request: FileRequest, seen: Sighting) -> FileReply:
    if isinstance(request.credential, ScreenCredential):
        return answer_screen(core, request, seen)
    name = grammar.file_name(request.path)
    ca_mac = _ca_mac(name) if name else None
    who = recognise(core.registry, name=name, user_agent=request.user_agent)
    who = replace(who, mac=ca_mac) if ca_mac else who
    _note(seen, who)
    with core.database.read() as session:
        proof = prove(core, session, request, who.mac, who.agent_mac)
        _note_proof(seen, proof)
        if proof.challenge:
            return _challenge(core, request, proof)
        if name is None:
            seen.reason = "the name is not one a phone asks for"
            return NOT_FOUND
        if proof.device is None:
            seen.pending = proof.unregistered
            return _without_device(core, request, who, seen, name)
        wanted = find_wanted(core, who, proof, name, is_ca=ca_mac is not None)
        if wanted is None:
            seen.reason = "the vendor has no file of that name"
            return NOT_FOUND
        seen.vendor = wanted.vendor.id
        if wanted.rule is not None and wanted.rule.secret and wanted.rule.proof:
            seen.proof_rule = wanted.rule.id
        reply, seen.reason = serve(core, session, request, wanted)
        return reply


def _ca_mac(name: str) -> Mac | None:
    digits, ending = name[: -len(CA_FILE)], name[-len(CA_FILE) :].lower()
    found = grammar.match("{mac}", digits) if ending == CA_FILE else None
    return found.mac if found else None


def _note(seen: Sighting, who: Recognition) -> None:
    mac = who.mac or who.agent_mac
    seen.mac = mac.digits if mac else ""
    seen.vendor = who.vendor.id if who.vendor else ""
    seen.model = printable(who.model.id if who.model else who.model_name)
    seen.firmware = printable(who.firmware)


def _note_proof(seen: Sighting, proof: Proof) -> None:
    seen.grade = proof.grade.word
    seen.reason = proof.reason
    seen.organisation_id = proof.organisation_id
    seen.device_id = proof.device.id if proof.device else None


def _challenge(core: Core, request: FileRequest, proof: Proof) -> FileReply:
    tls = request.door is Door.HTTPS
    headers = challenge_headers(REALM, core.nonces, tls=tls, stale=proof.stale)
    return FileReply(Outcome.CHALLENGE, challenges=headers)


def _without_device(
    core: Core, request: FileRequest, who: Recognition, seen: Sighting, name: str
) -> FileReply:
    """A file that is the same for all and holds no secret is served; all else is not found."""
    if who.vendor is None or request.credential is not None:
        return NOT_FOUND
    named = read_name(who.vendor, name, who.model, who.firmware)
    if named is None or named.rule is None or named.rule.secret:
        return NOT_FOUND
    seen.reason = "the file is the same for everyone"
    phone = Phone(
        mac=None,
        name="",
        model=who.model.id if who.model else "",
        firmware=who.firmware,
        organisation="",
        site="",
        settings=resolve((), scope=Scope.DEVICE),
        year=core.clock().year,
    )
    content = render_file(phone, who.vendor, named.rule)
    return reply_of(content, named.rule.media_type, private=False)
