"""Sessions, links and members against both databases, also when several ask at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provisioning.crypto.totp import code_at
from provisioning.domain.errors import (
    BrokenRule,
    CodeRequired,
    Forbidden,
    LastAdmin,
    NotFound,
    TooManyAttempts,
    Unauthenticated,
    WrongCredentials,
)
from provisioning.domain.roles import Permission
from provisioning.store import members
from provisioning.store.audit import Wanted
from provisioning.store.logins import Attempts, LoginSession, ResetLink
from provisioning.store.organisations import Login
from provisioning.usecases import audit, logins, memberships, retention, sessions, totp, users
from provisioning.usecases.actors import authenticate, create_token, local_actor
from provisioning.usecases.pages import Page

EMAIL = "ada@example.com"
PHRASE = "four words in no order"


def log_in(core, password=PHRASE, **more):
    """Log in as Ada; the token and the session."""
    return sessions.open_session(core, email=EMAIL, password=password, **more)


def outcome(work):
    """What a call came to: None, or the class of the rule it broke."""
    try:
        work()
    except BrokenRule as error:
        return type(error)
    return None


def at_once(count, work):
    """Do the same several times at once; the outcomes."""
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(lambda _: outcome(work), range(count)))


@pytest.fixture
def next_door(neighbour):
    """An admin of another organisation, who does not run the server."""
    return replace(neighbour, permissions=frozenset(Permission) - {Permission.OPERATE})


@pytest.fixture
def ada(core, actor, clock):
    """A user with a login."""
    made = users.add_user(core, actor, first_name="Ada", email=EMAIL, login={"password": PHRASE})
    return made.user.id


def login_id(core, actor):
    """Ada's login."""
    return logins.login_of(core, actor, EMAIL)


def test_session_is_who_logged_in(core, ada, actor):
    """A session acts as its login, in its organisation, as the user it is, from its source."""
    token, _ = log_in(core, source="192.0.2.7", user_agent="x" * 500)
    found = sessions.resume(core, token, "192.0.2.8").actor()
    assert (found.name, found.organisation_id) == (EMAIL, actor.organisation)
    assert (found.user_id, found.source) == (ada, "192.0.2.8")
    assert found.login_id == login_id(core, actor)


def test_no_token_is_in_the_database(core, ada, database):
    """Of a session's and a link's token only the hash is stored."""
    token, _ = log_in(core)
    with database.read() as session:
        row, _ = members.session_by_token(session, sessions.token_hash(token))
        assert token.encode() not in row.token_hash
        assert len(row.token_hash) == 32


def test_unknown_and_disabled_logins_look_like_wrong_passwords(core, actor, ada, database):
    """Whoever does not exist, may not, or has no password yet, gets the answer of a wrong one."""
    memberships.add_member(core, actor, email="new@example.com", role="member")
    told = set()
    for email, password in (
        (EMAIL, "wrong"), ("nobody@example.com", PHRASE), ("new@example.com", ""),
    ):  # fmt: skip
        with pytest.raises(WrongCredentials) as refused:
            sessions.open_session(core, email=email, password=password)
        told.add(str(refused.value))
    with database.write() as session:
        session.get_one(Login, login_id(core, actor)).disabled = True
    with pytest.raises(WrongCredentials) as refused:
        log_in(core)
    assert told == {str(refused.value)}


def test_waiting_is_over_in_time_and_success_forgives(core, ada, clock):
    """After five failures a login waits, even with the right password; then that ends it."""
    for _ in range(5):
        assert outcome(lambda: log_in(core, "wrong")) is WrongCredentials
    with pytest.raises(TooManyAttempts) as refused:
        log_in(core)
    assert refused.value.seconds == 5
    clock.turn(seconds=5)
    log_in(core)
    for _ in range(4):
        assert outcome(lambda: log_in(core, "wrong")) is WrongCredentials
    log_in(core)


def test_one_source_waits_whatever_e_mails_it_tries(core, ada, clock):
    """A source that tries many logins waits; others do not, and one subscriber is one source."""
    for number in range(20):
        email = f"person{number}@example.com"
        source = f"2001:db8::{number:x}"
        assert (
            outcome(
                lambda email=email, source=source: sessions.open_session(
                    core, email=email, password="wrong", source=source
                )
            )
            is WrongCredentials
        )
    assert outcome(lambda: log_in(core, source="2001:db8::ffff")) is TooManyAttempts
    assert outcome(lambda: log_in(core, source="2001:db8:0:1::1")) is None
    clock.turn(seconds=5)
    assert outcome(lambda: log_in(core, source="2001:db8::1")) is None
    assert outcome(lambda: log_in(core, source="2001:db8::1")) is None


def test_a_proxy_is_not_a_source(core, ada):
    """Nobody waits for what others did behind the same proxy, or on the server itself."""
    core.proxies = (ip_network("192.0.2.0/24"),)
    for source in ("192.0.2.7", "::ffff:192.0.2.7", "127.0.0.1", "::1", "unknown"):
        for number in range(21):
            email = f"person{number}@{len(source)}.example.com"
            assert (
                outcome(
                    lambda email=email, source=source: sessions.open_session(
                        core, email=email, password="wrong", source=source
                    )
                )
                is WrongCredentials
            )
        assert outcome(lambda source=source: log_in(core, source=source)) is None


def test_a_link_ends_the_waiting(core, actor, ada):
    """Who waits after wrong passwords gets in at once by a link and the new password."""
    for _ in range(5):
        outcome(lambda: log_in(core, "wrong"))
    assert outcome(lambda: log_in(core)) is TooManyAttempts
    link = logins.make_reset_link(core, actor, login_id(core, actor))
    sessions.reset_password(core, link.token, "another long phrase")
    log_in(core, "another long phrase")


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    email=st.text(max_size=50), password=st.text(max_size=50), code=st.text(max_size=10),
    source=st.one_of(st.text(max_size=50), st.ip_addresses().map(str)),
    agent=st.text(st.characters(), max_size=300),
)  # fmt: skip
def test_any_text_is_refused_by_its_rule(core, actor, email, password, code, source, agent):
    """Whatever is sent to log in, the answer is that it is wrong, or to wait."""
    found = outcome(
        lambda: sessions.open_session(
            core, email=email, password=password, code=code, source=source, user_agent=agent
        )
    )
    assert found in (WrongCredentials, TooManyAttempts)
    assert outcome(lambda: sessions.resume(core, password)) is Unauthenticated
    assert outcome(lambda: sessions.reset_password(core, code, password)) is NotFound


def test_odd_user_agent_is_kept_as_far_as_it_goes(core, ada, database):
    """A header that is no UTF-8 does not keep anybody out."""
    _, signed_in = log_in(core, user_agent="browser \udcff" + "x" * 500)
    with database.read() as session:
        row = session.get_one(LoginSession, signed_in.session.id)
    assert row.user_agent.startswith("browser ?")
    assert len(row.user_agent) == 200


def test_token_of_a_person_is_them(core, actor, ada):
    """A token of a user acts as that user and their login, from where the request came."""
    token = create_token(core, actor, name="x", role="member", user=ada)
    found = authenticate(core, token, source="192.0.2.7")
    assert (found.name, found.user_id, found.source) == ("x", ada, "192.0.2.7")
    assert found.login_id == login_id(core, actor)
    assert found.permissions == {Permission.OWN}
    users.change_user(core, actor, ada, {"enabled": False})
    with pytest.raises(Unauthenticated):
        authenticate(core, token)


def test_token_of_a_user_without_login_ends_with_them(core, actor):
    """A token of a user who has no login acts as its role says, until they are disabled or gone."""
    made = users.add_user(core, actor, first_name="Lift")
    token = create_token(core, actor, name="x", role="member", user=made.user.id)
    assert authenticate(core, token).user_id == made.user.id
    users.change_user(core, actor, made.user.id, {"enabled": False})
    assert outcome(lambda: authenticate(core, token)) is Unauthenticated
    users.delete_user(core, actor, made.user.id)
    assert outcome(lambda: authenticate(core, token)) is Unauthenticated


def test_guesses_at_once_are_no_way_around(core, ada):
    """However many passwords are tried at the same moment, five are judged."""
    found = at_once(12, lambda: log_in(core, "wrong"))
    assert found.count(WrongCredentials) == 5
    assert found.count(TooManyAttempts) == 7


def test_link_used_at_once_counts_once(core, actor, ada):
    """Of several who use a link at the same moment, one sets the password."""
    link = logins.make_reset_link(core, actor, login_id(core, actor))
    found = at_once(4, lambda: sessions.reset_password(core, link.token, "another long phrase"))
    assert sorted(map(str, found)) == sorted(map(str, [None, NotFound, NotFound, NotFound]))
    log_in(core, "another long phrase")


def test_code_used_at_once_counts_once(core, actor, ada, clock):
    """Of several logins with one code at the same moment, one gets in."""
    _, signed_in = log_in(core)
    secret = totp.enrol(core, signed_in).secret
    totp.confirm(core, signed_in, code_at(secret, clock()))
    assert outcome(lambda: log_in(core)) is CodeRequired
    clock.turn(seconds=60)
    code = code_at(secret, clock())
    found = at_once(4, lambda: log_in(core, code=code))
    assert found.count(None) == 1
    assert found.count(WrongCredentials) == 3


def test_asking_for_a_code_is_no_failure(core, ada, clock):
    """A right password without its code costs no patience, however often it is sent."""
    _, signed_in = log_in(core)
    secret = totp.enrol(core, signed_in).secret
    totp.confirm(core, signed_in, code_at(secret, clock()))
    assert {outcome(lambda: log_in(core)) for _ in range(8)} == {CodeRequired}


def test_b3_a_code_is_judged_at_once_whatever_was_wrong_before(core, ada, clock):
    """Others' wrong passwords make nobody wait between the right one and its code."""
    _, signed_in = log_in(core)
    secret = totp.enrol(core, signed_in).secret
    totp.confirm(core, signed_in, code_at(secret, clock()))
    for number in range(6):
        assert outcome(lambda: log_in(core, "wrong")) is WrongCredentials
        clock.turn(seconds=5 * 2 ** max(0, number - 4))
    assert outcome(lambda: log_in(core)) is CodeRequired
    assert outcome(lambda: log_in(core, code=code_at(secret, clock()))) is None


def test_b5_two_admins_cannot_demote_each_other_at_once(core, neighbour):
    """When the last two admins are demoted at the same moment, one of them stays."""
    ids = [
        memberships.add_member(
            core, neighbour, email=f"{name}@example.com", role="admin"
        ).member.membership.id
        for name in ("a", "b")
    ]
    with ThreadPoolExecutor(2) as pool:
        found = list(
            pool.map(
                lambda each: outcome(
                    lambda: memberships.change_member(core, neighbour, each, {"role": "member"})
                ),
                ids,
            )
        )
    assert sorted(map(str, found)) == sorted(map(str, [None, LastAdmin]))
    listed = memberships.list_members(core, neighbour, Page())
    assert sorted(member.role.name for member in listed) == ["admin", "member"]


def test_suspended_member_acts_nowhere(core, actor, ada):
    """A suspended membership ends what its sessions may do; the others of the login go on."""
    token, signed_in = log_in(core)
    place = signed_in.member.membership.id
    memberships.change_member(core, actor, place, {"state": "suspended"})
    found = sessions.resume(core, token)
    assert found.member is None
    with pytest.raises(BrokenRule, match="member of no organisation"):
        found.actor()
    memberships.change_member(core, actor, place, {"state": "active"})
    users.change_user(core, actor, ada, {"enabled": False})
    assert sessions.resume(core, token).member is None


def test_deleted_membership_leaves_the_session_elsewhere(core, actor, next_door, ada):
    """Who leaves the organisation they act in goes on in another of theirs."""
    offered = memberships.add_member(core, next_door, email=EMAIL, role="partner").link
    token, signed_in = log_in(core)
    memberships.accept(core, signed_in, offered.token)
    assert signed_in.member.organisation.id == actor.organisation
    memberships.delete_member(core, actor, signed_in.member.membership.id)
    assert sessions.resume(core, token).actor().organisation_id == next_door.organisation
    assert sessions.resume(core, token).actor().user_id is None


def test_a_login_made_elsewhere_gets_no_rights_by_its_email(core, actor, next_door, ada, clock):
    """A next_door's login of an invited e-mail acts here only by the link, used in time, once."""
    invited = memberships.add_member(core, next_door, email=EMAIL, role="admin")
    assert not invited.member.accepted
    _, signed_in = log_in(core)
    with pytest.raises(NotFound):
        sessions.choose_organisation(core, signed_in, next_door.organisation)
    with pytest.raises(NotFound):
        memberships.accept(core, signed_in, "x" * 43)
    with pytest.raises(BrokenRule):
        logins.make_reset_link(core, next_door, signed_in.login.id)
    assert logins.make_reset_link(core, actor, signed_in.login.id)
    memberships.accept(core, signed_in, invited.link.token)
    assert sessions.choose_organisation(core, signed_in, next_door.organisation)
    with pytest.raises(NotFound):
        memberships.accept(core, signed_in, invited.link.token)


def test_an_offer_takes_nothing_from_the_user_it_is_for(core, actor, next_door, ada, clock):
    """Until the invited have taken it on, the user's token is theirs; an owner has taken it on."""
    user = users.add_user(core, next_door, first_name="A").user.id
    token = create_token(core, next_door, name="sync", role="member", user=user)
    invited = memberships.add_member(core, next_door, email=EMAIL, role="admin", user=user)
    assert authenticate(core, token).permissions == frozenset({Permission.OWN})
    memberships.change_member(core, next_door, invited.member.id, {"user": None})
    assert authenticate(core, token).user_id == user
    memberships.set_owner(core, local_actor(next_door.organisation), EMAIL)
    _, signed_in = log_in(core)
    assert sessions.choose_organisation(core, signed_in, next_door.organisation)


def test_an_offered_membership_runs_out(core, next_door, ada, clock):
    """A link that nobody used in seven days takes nothing on."""
    invited = memberships.add_member(core, next_door, email=EMAIL, role="admin")
    clock.turn(days=7, seconds=1)
    _, signed_in = log_in(core)
    with pytest.raises(NotFound):
        memberships.accept(core, signed_in, invited.link.token)


def test_a_code_cannot_be_tried_out_between_right_passwords(core, ada, clock):
    """Asking for the code between two wrong ones gives no further try."""
    _, signed_in = log_in(core)
    totp.confirm(core, signed_in, code_at(totp.enrol(core, signed_in).secret, clock()))
    found = []
    for number in range(20):
        found.append(outcome(lambda code=f"{number:06}": log_in(core, code=code)))
        outcome(lambda: log_in(core))
    assert found.count(WrongCredentials) <= 5
    assert found[-1] is TooManyAttempts


def test_a_persons_token_ends_with_their_membership(core, actor, ada):
    """A token that could do what a member may can do nothing once they are none."""
    token = create_token(core, actor, name="sync", role="admin", user=ada)
    assert authenticate(core, token).permissions == frozenset({Permission.OWN})
    _, signed_in = log_in(core)
    memberships.delete_member(core, actor, signed_in.member.membership.id)
    with pytest.raises(Unauthenticated, match="revoked"):
        authenticate(core, token)


def test_logins_are_made_and_ended_by_who_may_see_accounts(core, actor, ada):
    """Who may only write makes no login, and deletes no user who has one."""
    writer = replace(actor, permissions=frozenset({Permission.READ, Permission.WRITE}))
    with pytest.raises(Forbidden):
        users.add_user(core, writer, first_name="B", email="b@x.org", login={"password": PHRASE})
    with pytest.raises(Forbidden):
        users.delete_user(core, writer, ada)


def test_a11_logins_are_in_the_audit_log(core, actor, ada):
    """A login and one that was refused are told where the login is a member; none with a secret."""
    log_in(core, source="192.0.2.9")
    outcome(lambda: log_in(core, "wrong", source="192.0.2.9"))
    outcome(lambda: sessions.open_session(core, email="nobody@example.com", password="wrong"))
    events = audit.list_events(core, actor, Wanted(kind="login"), Page())
    told = [(item.action, item.actor, item.source) for item in events if "login" in item.action]
    assert told == [("login-refused", EMAIL, "192.0.2.9"), ("login", EMAIL, "192.0.2.9")]


def test_deleted_login_ends_its_sessions(core, actor, ada):
    """A login goes with its last membership, and its sessions and links with it."""
    token, signed_in = log_in(core)
    logins.make_reset_link(core, actor, signed_in.login.id)
    memberships.delete_member(core, actor, signed_in.member.membership.id)
    with pytest.raises(Unauthenticated):
        sessions.resume(core, token)
    assert outcome(lambda: log_in(core)) is WrongCredentials


def test_a2_owner_is_one(core, actor):
    """Making somebody the owner makes the one before an admin, also twice in a row."""
    for name in ("b", "c"):
        memberships.add_member(core, actor, email=f"{name}@example.com", role="member")
    for name in ("b", "c", "c"):
        memberships.set_owner(core, actor, f"{name}@example.com")
    roles = {m.login.email: m.role.name for m in memberships.list_all_members(core, actor)}
    assert roles == {
        "admin@example.com": "admin", "b@example.com": "admin", "c@example.com": "owner",
    }  # fmt: skip
    with pytest.raises(NotFound):
        memberships.set_owner(core, local_actor(actor.organisation), "nobody@example.com")


def test_what_has_ended_is_forgotten(core, actor, ada, clock, database):
    """Ended sessions, old links and failures that count no more are deleted in time."""
    _, signed_in = log_in(core)
    logins.make_reset_link(core, actor, signed_in.login.id)
    outcome(lambda: log_in(core, "wrong"))

    def left():
        retention.trim(core, fetch_days=30, audit_days=365)
        with database.read() as session:
            tables = (LoginSession, ResetLink, Attempts)
            return [session.query(table).count() for table in tables]

    assert left() == [1, 1, 1]
    clock.now += sessions.LIFETIME
    assert left() == [0, 1, 1]
    clock.now += timedelta(days=1)
    assert left() == [0, 0, 0]
