-- Called by roost-hotdesk.xml with 0 to log in and 1 to log out.

local URL = "https://prov.example.com:8000/api/v1"
-- provisioning token create --name freeswitch --role pbx
local TOKEN = "TOKEN"

-- Who calls is who proved the password, not who the caller says to be.
local phone = session:getVariable("sip_auth_username")

-- Sends a form; returns the status, and what came with it.
local function ask(path, form)
  local to = URL:gsub("://", "://freeswitch:" .. TOKEN .. "@") .. "/" .. path
  session:execute("curl", to .. " post " .. form)
  return session:getVariable("curl_response_code"), session:getVariable("curl_response_data") or ""
end

local function digits(prompt)
  return session:playAndGetDigits(1, 10, 1, 7000, "#", prompt, "", "\\d+")
end

local function say(sound)
  session:streamFile(sound)
end

local function log_in()
  for _ = 1, 3 do
    local who = digits("ivr/ivr-please_enter_extension_followed_by_pound.wav")
    local pin = digits("ivr/ivr-please_enter_pin_followed_by_pound.wav")
    if who == "" or pin == "" then
      return
    end
    local form = "sip_username=" .. phone .. "&extension=" .. who .. "&pin=" .. pin
    local status, said = ask("hotdesk/login", form)
    if status == "200" then
      return say("ivr/ivr-you_are_now_logged_in.wav")
    elseif said:find('"pin-must-change"', 1, true) then
      -- Record these two in your own words.
      return say("roost/change-your-pin.wav")
    elseif said:find('"too-many-attempts"', 1, true) then
      return say("roost/try-later.wav")
    elseif not said:find('"wrong-pin"', 1, true) then
      return say("ivr/ivr-call_cannot_be_completed_as_dialed.wav")
    end
    say("ivr/ivr-that_was_an_invalid_entry.wav")
  end
end

local function log_out()
  if ask("hotdesk/logout", "sip_username=" .. phone) == "204" then
    return say("ivr/ivr-you_are_now_logged_out.wav")
  end
  say("ivr/ivr-call_cannot_be_completed_as_dialed.wav")
end

if argv[1] == "0" then
  log_in()
else
  log_out()
end
say("voicemail/vm-goodbye.wav")
session:hangup()
