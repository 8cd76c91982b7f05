"""Every page: its address, and the function that answers there."""

from __future__ import annotations

from collections.abc import Mapping

from provisioning.doors.http.portal import links, pin, sign_in, take
from provisioning.doors.http.portal.asked import (
    AUTHENTICATOR,
    CODE,
    HOME,
    LOG_OUT,
    ORGANISATION,
    PASSWORD,
    PIN,
    SIGN_IN,
    SIGN_OUT,
    View,
)
from provisioning.usecases.links import JOIN, RESET

_LABEL = f"{take.TAKE}/{{code}}"
_RESET, _JOIN = f"{RESET}/{{token}}", f"{JOIN}/{{token}}"

SHOWN: Mapping[str, View] = {
    HOME: take.show_home,
    SIGN_IN: sign_in.show_sign_in,
    PASSWORD: sign_in.show_password,
    ORGANISATION: sign_in.show_organisations,
    AUTHENTICATOR: sign_in.show_authenticator,
    PIN: pin.show_pin,
    _RESET: links.show_reset,
    _JOIN: links.show_offer,
    _LABEL: take.show_phone,
}
"""What answers to GET, and changes nothing."""

SENT: Mapping[str, View] = {
    SIGN_IN: sign_in.sign_in,
    CODE: sign_in.enter_code,
    PASSWORD: sign_in.change_password,
    ORGANISATION: sign_in.choose_organisation,
    AUTHENTICATOR: sign_in.set_up_authenticator,
    SIGN_OUT: sign_in.sign_out,
    PIN: pin.change_pin,
    _RESET: links.reset_password,
    _JOIN: links.accept_offer,
    _LABEL: take.take_phone,
    LOG_OUT: take.log_out,
}
"""What answers to the POST of a form."""
