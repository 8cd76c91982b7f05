"""What people read on pages and labels, in every language there is: one table.

Texts for phones' own screens are not here. A text may hold names in braces, which ``say`` fills.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_QUALITY = re.compile(r"q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)")


@dataclass(frozen=True, slots=True)
class Text:
    """One text in each language."""

    en: str
    de: str
    fr: str


LANGUAGES = tuple(Text.__slots__)
"""The languages there are; the first is for whoever reads none of them."""

WORDING: dict[str, Text] = {
    # --- labels
    "label.how": Text(
        "Scan, sign in, and this phone is yours.",
        "Scannen, anmelden, und dieses Telefon gehört Ihnen.",
        "Scannez, connectez-vous, et ce téléphone est le vôtre.",
    ),
    "label.none": Text(
        "No phone of this place takes logins.",
        "An keinem Telefon dieses Standorts kann man sich anmelden.",
        "Aucun téléphone de ce site n’accepte de connexion.",
    ),
    # --- every page
    "page.skip": Text("Skip to the content", "Zum Inhalt springen", "Aller au contenu"),
    "page.continue": Text("Continue", "Weiter", "Continuer"),
    "page.back": Text("To the start page", "Zur Startseite", "Vers la page d’accueil"),
    "page.sign-out": Text("Sign out", "Abmelden", "Se déconnecter"),
    "page.signed-in": Text(
        "Signed in as {name}", "Angemeldet als {name}", "Connecté en tant que {name}"
    ),
    # --- signing in
    "sign-in.title": Text("Sign in", "Anmelden", "Se connecter"),
    "sign-in.for-phone": Text(
        "Sign in to take the phone you have scanned.",
        "Melden Sie sich an, um das gescannte Telefon zu nehmen.",
        "Connectez-vous pour prendre le téléphone que vous avez scanné.",
    ),
    "sign-in.email": Text("E-mail address", "E-Mail-Adresse", "Adresse e-mail"),
    "sign-in.password": Text("Password", "Passwort", "Mot de passe"),
    "sign-in.wrong": Text(
        "The e-mail address, the password or the code is wrong. An admin can give you a new link.",
        "Die E-Mail-Adresse, das Passwort oder der Code ist falsch. Ein Admin kann Ihnen einen "
        "neuen Link geben.",
        "L’adresse e-mail, le mot de passe ou le code est faux. Un administrateur peut vous "
        "donner un nouveau lien.",
    ),
    "sign-in.wait": Text(
        "Too many attempts were wrong. Try again in {seconds} seconds.",
        "Zu viele Versuche waren falsch. Versuchen Sie es in {seconds} Sekunden erneut.",
        "Trop de tentatives étaient fausses. Réessayez dans {seconds} secondes.",
    ),
    "sign-in.late": Text(
        "That took too long. Please begin again.",
        "Das hat zu lange gedauert. Bitte beginnen Sie neu.",
        "Cela a pris trop de temps. Veuillez recommencer.",
    ),
    "code.title": Text("Enter the code", "Code eingeben", "Saisir le code"),
    "code.help": Text(
        "Your authenticator app shows six digits.",
        "Ihre Authenticator-App zeigt sechs Ziffern.",
        "Votre application d’authentification affiche six chiffres.",
    ),
    "code.label": Text("Code", "Code", "Code"),
    "code.wrong": Text(
        "The code is wrong. Enter the one shown now.",
        "Der Code ist falsch. Geben Sie den jetzt gezeigten ein.",
        "Le code est faux. Saisissez celui qui est affiché maintenant.",
    ),
    "password.title": Text(
        "Choose your own password", "Eigenes Passwort wählen", "Choisir votre propre mot de passe"
    ),
    "password.why": Text(
        "Your password was set by somebody else. Choose one that only you know.",
        "Ihr Passwort hat jemand anders gesetzt. Wählen Sie eines, das nur Sie kennen.",
        "Votre mot de passe a été défini par quelqu’un d’autre. Choisissez-en un que vous seul "
        "connaissez.",
    ),
    "password.current": Text("Password up to now", "Bisheriges Passwort", "Mot de passe actuel"),
    "password.new": Text("New password", "Neues Passwort", "Nouveau mot de passe"),
    "password.again": Text("New password again", "Neues Passwort noch einmal", "Encore une fois"),
    "password.save": Text("Save password", "Passwort speichern", "Enregistrer"),
    "password.differs": Text(
        "The two new passwords are not the same.",
        "Die beiden neuen Passwörter sind nicht gleich.",
        "Les deux nouveaux mots de passe ne sont pas identiques.",
    ),
    "password.wrong": Text(
        "The password up to now is wrong.",
        "Das bisherige Passwort ist falsch.",
        "Le mot de passe actuel est faux.",
    ),
    "password.easy": Text(
        "Choose another password: at least 10 characters, not a common one, not the old one.",
        "Wählen Sie ein anderes Passwort: mindestens 10 Zeichen, kein verbreitetes und nicht das "
        "alte.",
        "Choisissez un autre mot de passe : 10 caractères au moins, pas un mot de passe courant, "
        "pas l’ancien.",
    ),
    # --- one-time links
    "sign-in.chosen": Text(
        "Your password is saved. Sign in with it.",
        "Ihr Passwort ist gespeichert. Melden Sie sich damit an.",
        "Votre mot de passe est enregistré. Connectez-vous avec lui.",
    ),
    "reset.whose": Text(
        "It will be the password of {email}.",
        "Es wird das Passwort von {email}.",
        "Ce sera le mot de passe de {email}.",
    ),
    "join.title": Text(
        "Join an organisation", "Einer Organisation beitreten", "Rejoindre une organisation"
    ),
    "join.text": Text(
        "“{name}” invites you to become a member.",
        "„{name}“ lädt Sie ein, Mitglied zu werden.",
        "« {name} » vous invite à devenir membre.",
    ),
    "link.title": Text("This link is not valid", "Link ungültig", "Lien non valable"),
    "link.text": Text(
        "The link was used, is too old, or is for another login. Ask an admin for a new one.",
        "Der Link wurde schon benutzt, ist zu alt oder für einen anderen Zugang. Bitten Sie einen "
        "Admin um einen neuen.",
        "Le lien a déjà servi, est trop ancien ou destiné à un autre accès. Demandez-en un "
        "nouveau à un administrateur.",
    ),
    # --- the PIN
    "pin.title": Text("Choose your PIN", "Eigene PIN wählen", "Choisir votre code PIN"),
    "pin.help": Text(
        "With your extension and this PIN you log in at phones. A new PIN logs you out of the "
        "phones you have now.",
        "Mit Ihrer Nebenstelle und dieser PIN melden Sie sich an Telefonen an. Eine neue PIN "
        "meldet Sie von den Telefonen ab, die Sie gerade haben.",
        "Avec votre numéro interne et ce code PIN, vous vous connectez aux téléphones. Un nouveau "
        "code vous déconnecte des téléphones que vous avez en ce moment.",
    ),
    "pin.why": Text(
        "Your PIN was set by somebody else. No phone takes it before you have chosen your own.",
        "Ihre PIN hat jemand anders gesetzt. Kein Telefon nimmt sie, bevor Sie eine eigene "
        "gewählt haben.",
        "Votre code PIN a été défini par quelqu’un d’autre. Aucun téléphone ne l’accepte avant "
        "que vous ayez choisi le vôtre.",
    ),
    "pin.new": Text("New PIN", "Neue PIN", "Nouveau code PIN"),
    "pin.again": Text("New PIN again", "Neue PIN noch einmal", "Encore une fois"),
    "pin.save": Text("Save PIN", "PIN speichern", "Enregistrer"),
    "pin.saved": Text(
        "Your PIN is saved.", "Ihre PIN ist gespeichert.", "Votre code PIN est enregistré."
    ),
    "pin.differs": Text(
        "The two PINs are not the same.",
        "Die beiden PINs sind nicht gleich.",
        "Les deux codes PIN ne sont pas identiques.",
    ),
    "pin.easy": Text(
        "Choose another PIN: 6 to 12 digits, no sequence and no repetition.",
        "Wählen Sie eine andere PIN: 6 bis 12 Ziffern, keine Folge und keine Wiederholung.",
        "Choisissez un autre code PIN : 6 à 12 chiffres, ni suite ni répétition.",
    ),
    "pin.unchanged": Text(
        "That is the PIN you have. Choose another.",
        "Das ist Ihre bisherige PIN. Wählen Sie eine andere.",
        "C’est votre code PIN actuel. Choisissez-en un autre.",
    ),
    # --- where to act
    "organisation.title": Text(
        "Choose an organisation", "Organisation wählen", "Choisir une organisation"
    ),
    "organisation.help": Text(
        "You are a member of several organisations.",
        "Sie gehören zu mehreren Organisationen.",
        "Vous êtes membre de plusieurs organisations.",
    ),
    "authenticator.title": Text(
        "Set up an authenticator", "Authenticator einrichten", "Configurer une authentification"
    ),
    "authenticator.why": Text(
        "Your organisation asks for the code of an authenticator app. Scan this with the app, "
        "then enter the code it shows.",
        "Ihre Organisation verlangt den Code einer Authenticator-App. Scannen Sie dies mit der "
        "App und geben Sie dann den Code ein, den sie zeigt.",
        "Votre organisation demande le code d’une application d’authentification. Scannez ceci "
        "avec l’application, puis saisissez le code affiché.",
    ),
    "authenticator.picture": Text(
        "QR code for the authenticator app",
        "QR-Code für die Authenticator-App",
        "Code QR pour l’application d’authentification",
    ),
    "authenticator.by-hand": Text(
        "Or type this key:", "Oder geben Sie diesen Schlüssel ein:", "Ou saisissez cette clé :"
    ),
    # --- the start page
    "home.title": Text("Your phones", "Ihre Telefone", "Vos téléphones"),
    "home.none": Text(
        "You are logged in at no phone. Scan the label on a phone to take it.",
        "Sie sind an keinem Telefon angemeldet. Scannen Sie das Etikett eines Telefons, um es zu "
        "nehmen.",
        "Vous n’êtes connecté à aucun téléphone. Scannez l’étiquette d’un téléphone pour le "
        "prendre.",
    ),
    # --- taking a phone
    "take.free": Text("This phone is free.", "Dieses Telefon ist frei.", "Ce téléphone est libre."),
    "take.button": Text("Take this phone", "Dieses Telefon nehmen", "Prendre ce téléphone"),
    "take.moves": Text(
        "You are logged in at “{phone}”. Taking this phone logs you out there.",
        "Sie sind an „{phone}“ angemeldet. Wenn Sie dieses Telefon nehmen, werden Sie dort "
        "abgemeldet.",
        "Vous êtes connecté à « {phone} ». Prendre ce téléphone vous y déconnecte.",
    ),
    "take.yours-until": Text(
        "You are logged in until {time}.",
        "Sie sind bis {time} angemeldet.",
        "Vous êtes connecté jusqu’à {time}.",
    ),
    "take.yours": Text(
        "You are logged in until you log out.",
        "Sie sind angemeldet, bis Sie sich abmelden.",
        "Vous êtes connecté jusqu’à ce que vous vous déconnectiez.",
    ),
    "take.soon": Text(
        "The phone shows your name within moments.",
        "Das Telefon zeigt gleich Ihren Namen.",
        "Le téléphone affiche votre nom dans un instant.",
    ),
    "take.log-out": Text(
        "Log out of this phone", "Vom Telefon abmelden", "Se déconnecter du téléphone"
    ),
    "take.occupied": Text(
        "Somebody else is logged in at this phone.",
        "An diesem Telefon ist jemand anders angemeldet.",
        "Quelqu’un d’autre est connecté à ce téléphone.",
    ),
    "take.occupied-by": Text(
        "{name} is logged in at this phone.",
        "An diesem Telefon ist {name} angemeldet.",
        "{name} est connecté à ce téléphone.",
    ),
    "take.wait": Text(
        "Ask them to log out, or take another phone.",
        "Bitten Sie um Abmeldung, oder nehmen Sie ein anderes Telefon.",
        "Demandez-lui de se déconnecter, ou prenez un autre téléphone.",
    ),
    "take.over": Text(
        "You may take it all the same; that logs them out.",
        "Sie dürfen es trotzdem nehmen; das beendet die andere Anmeldung.",
        "Vous pouvez le prendre malgré tout ; cela met fin à l’autre connexion.",
    ),
    "take.denied": Text(
        "You are logged in at “{phone}”. Log out there first.",
        "Sie sind an „{phone}“ angemeldet. Melden Sie sich zuerst dort ab.",
        "Vous êtes connecté à « {phone} ». Déconnectez-vous d’abord.",
    ),
    "take.log-out-there": Text("Log out there", "Dort abmelden", "Se déconnecter là-bas"),
    "take.closed": Text(
        "Nobody can log in at this phone. Take another one, or ask an admin to open it.",
        "An diesem Telefon kann man sich nicht anmelden. Nehmen Sie ein anderes, oder bitten Sie "
        "einen Admin, es freizugeben.",
        "Personne ne peut se connecter à ce téléphone. Prenez-en un autre, ou demandez à un "
        "administrateur de l’ouvrir.",
    ),
    "take.not-you": Text(
        "You may not log in on phones. An admin of your organisation can allow it.",
        "Sie dürfen sich nicht an Telefonen anmelden. Ein Admin Ihrer Organisation kann es "
        "erlauben.",
        "Vous n’avez pas le droit de vous connecter aux téléphones. Un administrateur de votre "
        "organisation peut l’accorder.",
    ),
    "take.other": Text(
        "This phone belongs to “{name}”, where you are a member too.",
        "Dieses Telefon gehört zu „{name}“, wo Sie auch Mitglied sind.",
        "Ce téléphone appartient à « {name} », dont vous êtes aussi membre.",
    ),
    "take.switch": Text("Go on there", "Dort weitermachen", "Continuer là-bas"),
    # --- refusals
    "gone.title": Text("This label is not valid", "Etikett ungültig", "Étiquette non valable"),
    "gone.text": Text(
        "The label is old, or its phone is gone. Ask an admin for a new label, or take another "
        "phone.",
        "Das Etikett ist veraltet, oder es gibt das Telefon nicht mehr. Bitten Sie einen Admin um "
        "ein neues Etikett, oder nehmen Sie ein anderes Telefon.",
        "L’étiquette est périmée, ou le téléphone n’existe plus. Demandez une nouvelle étiquette "
        "à un administrateur, ou prenez un autre téléphone.",
    ),
    "nobody.title": Text("No phone for this login", "Kein Telefon", "Pas de téléphone"),
    "nobody.text": Text(
        "Your login is no user of this organisation, so no phone can be yours. Ask an admin.",
        "Ihr Zugang ist kein Benutzer dieser Organisation, also kann kein Telefon Ihnen gehören. "
        "Fragen Sie einen Admin.",
        "Votre accès n’est pas un utilisateur de cette organisation ; aucun téléphone ne peut "
        "être le vôtre. Demandez à un administrateur.",
    ),
    "member.title": Text("No organisation", "Keine Organisation", "Pas d’organisation"),
    "member.text": Text(
        "You are a member of no organisation, or suspended there. Ask an admin.",
        "Sie gehören zu keiner Organisation oder sind dort gesperrt. Fragen Sie einen Admin.",
        "Vous n’êtes membre d’aucune organisation, ou vous y êtes suspendu. Demandez à un "
        "administrateur.",
    ),
    "right.title": Text("Not allowed", "Nicht erlaubt", "Non autorisé"),
    "right.text": Text(
        "You have not the right to do this. An admin of your organisation can give it.",
        "Dazu haben Sie nicht das Recht. Ein Admin Ihrer Organisation kann es geben.",
        "Vous n’en avez pas le droit. Un administrateur de votre organisation peut l’accorder.",
    ),
    "foreign.title": Text("Not from here", "Nicht von hier", "Origine refusée"),
    "foreign.text": Text(
        "The form was not sent from a page of this server. Open the page again and repeat it.",
        "Das Formular kam nicht von einer Seite dieses Servers. Öffnen Sie die Seite erneut und "
        "wiederholen Sie es.",
        "Le formulaire ne vient pas d’une page de ce serveur. Rouvrez la page et recommencez.",
    ),
    "missing.title": Text("No such page", "Keine solche Seite", "Page introuvable"),
    "missing.text": Text(
        "There is nothing at this address. Check it, or scan the label again.",
        "Unter dieser Adresse gibt es nichts. Prüfen Sie sie, oder scannen Sie das Etikett neu.",
        "Il n’y a rien à cette adresse. Vérifiez-la, ou scannez à nouveau l’étiquette.",
    ),
    "bad.title": Text("Not understood", "Nicht verstanden", "Demande non comprise"),
    "bad.text": Text(
        "What was sent cannot be read. Go back and try again.",
        "Das Gesendete ist nicht lesbar. Gehen Sie zurück und versuchen Sie es erneut.",
        "Ce qui a été envoyé est illisible. Revenez en arrière et réessayez.",
    ),
    "failed.title": Text("Please try again", "Bitte noch einmal", "Veuillez réessayer"),
    "failed.text": Text(
        "The server could not answer just now. Wait a moment and try again.",
        "Der Server konnte gerade nicht antworten. Warten Sie kurz und versuchen Sie es erneut.",
        "Le serveur n’a pas pu répondre. Attendez un instant et réessayez.",
    ),
}


def say(language: str, key: str, **values: object) -> str:
    """A text in a language, with its names filled; KeyError for one that is not in the table."""
    text: str = getattr(WORDING[key], language)
    return text.format(**values)


def closest(tags: Iterable[str]) -> str:
    """The first language of which there are texts, of several tags (BCP 47), best first."""
    return next(filter(None, map(spoken, tags)), LANGUAGES[0])


def spoken(tag: str) -> str:
    """The language of a tag (BCP 47) if there are texts in it; empty if there are none."""
    primary = tag.strip().lower().partition("-")[0]
    return primary if primary in LANGUAGES else ""


def accepted(header: str) -> str:
    """The language that a header Accept-Language likes best (RFC 9110 section 12.5.4)."""
    wanted: list[tuple[float, str]] = []
    for item in header[:1000].split(","):
        tag, _, parameters = item.partition(";")
        quality = _QUALITY.fullmatch(parameters.strip()) if parameters else None
        weight = float(quality[1]) if quality else 0.0 if parameters else 1.0
        if weight:
            wanted.append((-weight, tag))
    return closest(tag for _, tag in sorted(wanted, key=lambda each: each[0]))
