"""A made-up session of Plex Web in a browser: each call, and every data item that it sends, written down by hand.

It is written from what the web app is known to send (its statistics, its parameters and headers, the services that it
asks), not from what the packs look for.  All values are invented.
"""

from __future__ import annotations

import json
from typing import NamedTuple
from urllib.parse import quote

HASH = "5ca1ab1e5ca1ab1e5ca1ab1e5ca1ab1e"
MACHINE = "0ddba11c0ddba11c0ddba11c0ddba11c0ddba11c"
CLIENT = "q7w2mzk4t0v9xj3b5n8rcd1f"
TOKEN = "zKq7WvN3xT8mRb2LcYdH"
SERVER_TOKEN = "pX4sVn9QmB7tKw1ZrJgC"
USER = "48151623"
UUID = "f00dcafe0badbeef"
FILM = "5f9d2c7ab1e84d3360aa71c5"
OWN = f"https://192-168-88-21.{HASH}.plex.direct:32400"
RUN = "8c2b8a10-4f0e-4d61-9a5b-2f3f6f7a9e01"
PLAY = "k3v9w1q8z5x7c2b4n6m0l9j8"

BROWSER = (
    (
        "User-Agent",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
    ),
    ("Accept-Language", "de-AT,de;q=0.9,en;q=0.8"),
    ("sec-ch-ua", '"Chromium";v="131", "Not_A Brand";v="24"'),
    ("sec-ch-ua-mobile", "?0"),
    ("sec-ch-ua-platform", '"Linux"'),
)
"""Every request of the browser carries these."""

BROWSER_ITEMS = {
    "header.user-agent": "client.user_agent",
    "header.accept-language": "client.language",
    "header.sec-ch-ua": "client.app",
    "header.sec-ch-ua-mobile": "client.device_type",
    "header.sec-ch-ua-platform": "client.os",
}

PLEX = {
    "X-Plex-Product": ("Plex Web", "client.app"),
    "X-Plex-Version": ("4.141.1", "client.app"),
    "X-Plex-Client-Identifier": (CLIENT, "client.id"),
    "X-Plex-Platform": ("Chrome", "client.app"),
    "X-Plex-Platform-Version": ("131.0", "client.app"),
    "X-Plex-Features": ("external-media,indirect-media,hub-style-list", ""),
    "X-Plex-Model": ("hosted", "client.app"),
    "X-Plex-Device": ("Linux", "client.os"),
    "X-Plex-Device-Name": ("Kims Laptop", "client.device_name"),
    "X-Plex-Device-Screen-Resolution": ("1536x742,1536x864", "client.screen"),
    "X-Plex-Token": (TOKEN, "auth.token"),
    "X-Plex-Language": ("de", "client.language"),
    "X-Plex-Session-Id": (RUN, "client.session_id"),
    "X-Plex-Provider-Version": ("7.2", ""),
    "X-Plex-Text-Format": ("plain", ""),
    "X-Plex-Drm": ("widevine", "client.hardware"),
}
"""What the web app says of itself with nearly every request, as headers or parameters -> value, item."""


class Call(NamedTuple):
    """One request."""

    method: str
    url: str
    items: dict[str, str | tuple[str, ...]]
    """Place -> item (or items) that is sent there, besides those of the browser and of `PLEX`."""
    category: str
    plex: str = "query"
    """Where `PLEX` stands: in the `query`, in a query in `lower` case, in `header`s, or nowhere."""
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""
    kind: str = "application/json"
    answer: str = ""
    page: str = "https://app.plex.tv/"
    """The page that calls, as the browser names it."""


def q(**pairs: str) -> str:
    """Parameters as the web app writes them."""
    return "&".join(f"{name}={quote(value, safe='')}" for name, value in pairs.items())


DEVICE = (
    '"device":{"product":"Plex Web","version":"4.141.1","platform":"Chrome","platformVersion":"131.0","device":"Linux",'
    '"model":"hosted","screenResolution":"1536x742,1536x864","layout":"desktop","protocol":"https"}'
)
DEVICE_ITEMS: dict[str, str | tuple[str, ...]] = {
    "body.deviceIdentifier": "client.id",
    "body.context.campaign": "ui.referrer_campaign",
    "body.context.device.product": "client.app",
    "body.context.device.version": "client.app",
    "body.context.device.platform": "client.app",
    "body.context.device.platformVersion": "client.app",
    "body.context.device.device": "client.os",
    "body.context.device.model": "client.app",
    "body.context.device.screenResolution": "client.screen",
    "body.context.device.layout": "client.screen",
    "body.context.device.protocol": "net.connection_type",
    "body.context.user.anonymous": "account.signed_in",
    "body.userId": "account.id",
    "body.event": "event.name",
    "body.interaction": "ui.action_page",
    "body.sessionIdentifier": "client.session_id",
}


def statistics(event: str, properties: str, items: dict[str, str], campaign: str = '"spring"') -> Call:
    """One event of the usage statistics."""
    body = (
        f'{{"deviceIdentifier":"{CLIENT}","context":{{"campaign":{campaign},{DEVICE},"user":{{"anonymous":false}}}},'
        f'"userId":{USER},"event":"{event}","interaction":true,"sessionIdentifier":"{RUN}","properties":{{{properties}}}}}'
    )
    envelope = {at: item for at, item in DEVICE_ITEMS.items() if campaign != "null" or at != "body.context.campaign"}
    found = {f"body.properties.{name}": item for name, item in items.items()}
    return Call(
        "POST", "https://analytics.plex.tv/collect/event", {**envelope, **found}, "usage-statistics",
        plex="", body=body, kind="text/plain;charset=UTF-8",
    )  # fmt: skip


PLAYBACK = (
    '"serverType":"owned","connectionType":"remote","type":"movie","identifier":"com.plexapp.plugins.library",'
    '"page":"preplay","auto":false,"protocol":"dash","offset":0,"container":"mkv","duration":6960,"bitrate":5632,'
    '"audioCodec":"eac3","audioDecision":"transcode","videoCodec":"hevc","videoDecision":"copy","player":"html5",'
    '"context":"preplay:play","row":0,"col":3'
)
PLAYBACK_ITEMS = {
    "serverType": "server.config",
    "connectionType": "net.connection_type",
    "type": "media.type",
    "identifier": "library.settings",
    "page": "ui.action_page",
    "auto": "play.decision",
    "protocol": "play.decision",
    "offset": "play.position_time",
    "container": "media.codec_container",
    "duration": "media.duration",
    "bitrate": "media.bitrate",
    "audioCodec": "media.codec_container",
    "audioDecision": "play.decision",
    "videoCodec": "media.codec_container",
    "videoDecision": "play.decision",
    "player": "play.decision",
    "context": "ui.action_page",
    "row": "ui.action_page",
    "col": "ui.action_page",
}

RESOURCES = (
    f'[{{"name":"attic-nas","product":"Plex Media Server","productVersion":"1.41.3.9314","platform":"Linux",'
    f'"clientIdentifier":"{MACHINE}","provides":"server","owned":true,"accessToken":"{SERVER_TOKEN}",'
    f'"publicAddress":"203.0.113.77","httpsRequired":false,"presence":true,"publicAddressMatches":true,'
    f'"connections":[{{"protocol":"https","address":"192.168.88.21","port":32400,"uri":"{OWN}","local":true,'
    f'"relay":false,"IPv6":false}}]}}]'
)

CALLS = (
    Call("GET", "https://app.plex.tv/desktop/", {}, "update-download", plex="", page=""),
    Call(
        "GET",
        "https://app.plex.tv/desktop/js/main-91f0c2.js",
        {},
        "update-download",
        plex="",
        page="https://app.plex.tv/desktop/",
    ),
    Call(
        "GET",
        "https://plex.tv/api/v2/user?"
        + q(includeSubscriptions="1", includeProviders="1", includeSettings="1", includeSharedSettings="1"),
        {},
        "account-auth",
        answer=f'{{"id":{USER},"uuid":"{UUID}","email":"kim@example.net","username":"kim.attic","authToken":"{TOKEN}"}}',
    ),
    Call(
        "POST",
        "https://clients.plex.tv/api/v2/pins?strong=true",
        {},
        "account-auth",
        plex="header",
        answer='{"id":991177,"code":"h4q9"}',
    ),
    Call("GET", "https://clients.plex.tv/api/v2/pins/991177", {}, "account-auth", plex="header"),
    Call(
        "POST",
        "https://plex.tv/api/v2/users/signin",
        {
            "body.login": "account.email",
            "body.password": "account.password",
            "body.rememberMe": "",
            "body.verificationCode": "auth.one_time_code",
        },
        "account-auth",
        plex="header",
        body=q(login="kim@example.net", password="correct horse made up", rememberMe="true", verificationCode="482913"),
        kind="application/x-www-form-urlencoded",
    ),
    Call(
        "GET",
        "https://clients.plex.tv/api/v2/resources?" + q(includeHttps="1", includeRelay="1", includeIPv6="1"),
        {},
        "remote-discovery",
        plex="lower",
        answer=RESOURCES,
    ),
    Call("GET", "https://plex.tv/api/v2/home/users", {}, "social", plex="header"),
    Call(
        "POST",
        f"https://plex.tv/api/v2/home/users/{UUID}/switch?pin=5731",
        {"path": "account.uuid", "query.pin": "account.pin"},
        "account-auth",
        plex="header",
    ),
    Call("GET", "https://plex.tv/api/v2/friends", {}, "social"),
    Call("GET", "https://plex.tv/api/v2/shared_servers", {}, "social"),
    Call("GET", f"https://plex.tv/api/v2/user/{UUID}/settings/opt_outs", {"path": "account.uuid"}, "settings"),
    Call(
        "PUT",
        "https://plex.tv/api/v2/user/privacy?optOutPlayback=1&optOutLibraryStats=0",
        {"query.optOutPlayback": "account.consent_state", "query.optOutLibraryStats": "account.consent_state"},
        "settings",
    ),
    Call("GET", "https://plex.tv/api/v2/user/view_state_sync", {}, "settings", plex="header"),
    Call(
        "GET",
        "https://plex.tv/api/v2/geoip?ip_address=203.0.113.199",
        {"query.ip_address": "net.other_ip"},
        "geo-lookup",
    ),
    Call("GET", "https://plex.tv/api/v2/geoip", {}, "geo-lookup", plex="lower"),
    Call("GET", "https://plex.tv/media/providers", {}, "cloud-content", plex="header"),
    Call("GET", "https://clients.plex.tv/api/v2/ads/vendors", {"path": "ads.request"}, "advertising"),
    Call("GET", "https://plex.tv/api/v2/ping", {}, "account-auth", plex="header"),
    Call("GET", "https://plex.tv/api/v2/user/webhooks", {}, "settings"),
    # The same app, loaded from the own server: the browser says from which address.
    Call(
        "GET",
        "https://plex.tv/api/v2/ping",
        {"header.origin": "net.lan_ip", "header.referer": "net.lan_ip"},
        "account-auth",
        plex="header",
        page="http://192.168.88.21:32400/",
    ),
    Call(
        "GET",
        "https://clients.plex.tv/api/v2/home",
        {"header.origin": ("server.cert_hash", "net.lan_ip"), "header.referer": ("server.cert_hash", "net.lan_ip")},
        "social",
        page=f"{OWN}/",
    ),
    Call(
        "POST",
        "https://clients.plex.tv/api/v2/user/settings",
        {
            "body.value[json].0.value[json].sidebarSettings.pinnedSources.0.key": "server.machine_id",
            "body.value[json].0.value[json].sidebarSettings.pinnedSources.0.machineIdentifier": "server.machine_id",
            "body.value[json].0.value[json].sidebarSettings.pinnedSources.0.title": "library.name",
            "body.value[json].0.value[json].sidebarSettings.pinnedSources.0.serverFriendlyName": "server.name",
            "body.value[json].0.value[json].sidebarSettings.pinnedSources.0.providerSourceTitle": "account.username",
        },
        "settings",
        plex="header",
        kind="application/x-www-form-urlencoded",
        body=q(
            value=json.dumps(
                [
                    {
                        "id": "experience",
                        "type": "json",
                        "hidden": False,
                        "value": json.dumps(
                            {
                                "sidebarSettings": {
                                    "hasCompletedSetup": True,
                                    "pinnedSources": [
                                        {
                                            "key": f"server://{MACHINE}/com.plexapp.plugins.library/library/sections/1",
                                            "sourceType": "server",
                                            "machineIdentifier": MACHINE,
                                            "providerIdentifier": "com.plexapp.plugins.library",
                                            "directoryID": "1",
                                            "title": "Attic films",
                                            "serverFriendlyName": "attic-nas",
                                            "providerSourceTitle": "kim.attic",
                                            "isFullOwnedServer": True,
                                        }
                                    ],
                                }
                            }
                        ),
                    }
                ]
            )
        ),
    ),
    Call("GET", "https://plex.tv/api/v2/shared_servers/invited", {}, "social"),
    Call("GET", "https://plex.tv/api/invites/requested?includeServer=1", {}, "social", plex="header"),
    Call("GET", "https://clients.plex.tv/devices.xml", {}, "remote-discovery"),
    Call("GET", "https://plex.tv/api/v2/cloud_server", {}, "cloud-content"),
    Call("DELETE", "https://plex.tv/api/v2/users/signout", {}, "account-auth", plex="header"),
    Call(
        "POST",
        "https://plex.tv/api/v2/user/webhooks",
        {"body.urls": "", "body.urls[]": "net.webhook_url"},
        "settings",
        body="urls%5B%5D=https%3A%2F%2Fhooks.example.org%2Fkim",
        kind="application/x-www-form-urlencoded",
    ),
    Call(
        "GET",
        f"https://pubsub.plex.tv/sub/websockets/{USER}/{CLIENT}?X-Plex-Token={TOKEN}",
        {"path": ("account.id", "client.id"), "query.X-Plex-Token": "auth.token"},
        "notifications",
        plex="",
    ),
    # Own server.
    Call("GET", f"{OWN}/media/providers?includePreferences=1", {}, "server-api"),
    Call(
        "GET",
        f"{OWN}/hubs/promoted?"
        + q(
            contentDirectoryID="1",
            pinnedContentDirectoryID="1,2",
            excludeFields="summary",
            includeMeta="1",
            excludeContinueWatching="1",
        ),
        {},
        "server-api",
        plex="header",
    ),
    Call(
        "GET",
        f"{OWN}/library/sections/1/all?" + q(type="1", sort="titleSort", includeCollections="1"),
        {"query.type": "media.type"},
        "server-api",
    ),
    Call(
        "GET",
        f"{OWN}/library/metadata/2417?" + q(includeConcerts="1", includeExtras="1"),
        {"path": "media.library_key"},
        "server-api",
    ),
    Call(
        "GET",
        f"{OWN}/photo/:/transcode?"
        + q(width="240", height="360", minSize="1", upscale="1", url="/library/metadata/2417/thumb/1733000000"),
        {"query.url": "media.library_key"},
        "server-api",
    ),
    Call(
        "POST",
        f"{OWN}/playQueues?"
        + q(
            type="video",
            extrasPrefixCount="0",
            shuffle="0",
            repeat="0",
            own="1",
            uri=f"server://{MACHINE}/com.plexapp.plugins.library/library/metadata/2417",
        ),
        {"query.type": "media.type", "query.uri": ("media.library_key", "server.machine_id")},
        "server-api",
    ),
    Call(
        "GET",
        f"{OWN}/video/:/transcode/universal/decision?"
        + q(
            hasMDE="1",
            path="/library/metadata/2417",
            mediaIndex="0",
            partIndex="0",
            protocol="dash",
            fastSeek="1",
            directPlay="0",
            directStream="1",
            subtitleSize="100",
            audioBoost="100",
            location="lan",
            addDebugOverlay="0",
            autoAdjustQuality="0",
            directStreamAudio="1",
            mediaBufferSize="102400",
            session=PLAY,
            subtitles="burn",
            copyts="1",
        ),
        {
            "query.path": "media.library_key",
            "query.protocol": "play.decision",
            "query.fastSeek": "play.decision",
            "query.directPlay": "play.decision",
            "query.directStream": "play.decision",
            "query.location": "net.connection_type",
            "query.autoAdjustQuality": "play.decision",
            "query.directStreamAudio": "play.decision",
            "query.session": "play.session_id",
            "query.subtitles": "play.decision",
        },
        "server-api",
    ),
    Call(
        "GET",
        f"{OWN}/:/timeline?"
        + q(
            ratingKey="2417",
            key="/library/metadata/2417",
            playbackTime="41233",
            playQueueItemID="911",
            state="playing",
            hasMDE="1",
            time="41200",
            duration="6931420",
            context="home:hub",
            row="1",
            col="4",
            continuing="0",
            bufferedTime="52",
            timeStalled="0",
            timeToFirstFrame="713",
            bandwidth="18234",
        ),
        {
            "query.ratingKey": "media.library_key",
            "query.key": "media.library_key",
            "query.playbackTime": "play.watched_time",
            "query.state": "play.watched_state",
            "query.time": "play.position_time",
            "query.duration": "media.duration",
            "query.context": "ui.action_page",
            "query.row": "ui.action_page",
            "query.col": "ui.action_page",
            "query.bufferedTime": "play.quality_events",
            "query.timeStalled": "play.quality_events",
            "query.timeToFirstFrame": "play.quality_events",
            "query.bandwidth": "net.bandwidth",
        },
        "playback-report",
    ),
    Call(
        "GET",
        f"{OWN}/hubs/search?query=lighthouse&limit=10&includeCollections=1",
        {"query.query": "ui.search_text"},
        "server-api",
    ),
    Call(
        "GET",
        f"{OWN}/:/websockets/notifications?X-Plex-Token={SERVER_TOKEN}",
        {"query.X-Plex-Token": "auth.token"},
        "notifications",
        plex="",
    ),
    Call("GET", f"{OWN}/library/parts/3302/1731000000/file.mkv?download=0", {}, "media-stream"),
    Call(
        "GET",
        f"{OWN}/video/:/transcode/universal/start.mpd?"
        + q(
            path="/library/metadata/2417",
            protocol="dash",
            session=PLAY,
            offset="0",
            videoBitrate="8000",
            videoResolution="1920x1080",
            **{
                "X-Plex-Session-Identifier": PLAY,
                "X-Plex-Client-Profile-Extra": "append-transcode-target-codec(type=videoProfile)",
                "X-Plex-Incomplete-Segments": "1",
                "Accept-Language": "de",
            },
        ),
        {
            "query.path": "media.library_key",
            "query.protocol": "play.decision",
            "query.session": "play.session_id",
            "query.offset": "play.position_time",
            "query.videoBitrate": "net.bandwidth",
            "query.videoResolution": "play.decision",
            "query.X-Plex-Session-Identifier": "play.session_id",
            "query.X-Plex-Client-Profile-Extra": "client.hardware",
            "query.Accept-Language": "client.language",
        },
        "media-stream",
    ),
    Call(
        "GET", f"{OWN}/video/:/transcode/universal/session/{PLAY}/0/12.m4s", {"path": "play.session_id"}, "media-stream"
    ),
    Call(
        "GET",
        f"{OWN}/:/scrobble?identifier=com.plexapp.plugins.library&key=2417",
        {"query.key": "media.library_key"},
        "playback-report",
        plex="header",
    ),
    Call("GET", f"{OWN}/status/sessions", {}, "server-api"),
    Call("GET", f"{OWN}/playlists?playlistType=video&includeCollections=1", {}, "server-api"),
    Call(
        "GET", f"{OWN}/hubs/metadata/2417/related?count=20", {"path": "media.library_key"}, "server-api", plex="header"
    ),
    Call("GET", f"{OWN}/library/metadata/2417/children", {"path": "media.library_key"}, "server-api", plex="header"),
    Call("GET", f"{OWN}/statistics/bandwidth?timespan=6", {}, "server-api"),
    Call("GET", f"{OWN}/identity", {}, "server-api", plex=""),
    # The vendor's providers.
    Call("GET", "https://discover.provider.plex.tv/hubs/sections/home?count=20&includeMeta=1", {}, "cloud-content"),
    Call(
        "GET",
        "https://discover.provider.plex.tv/library/sections/watchlist/all?"
        + q(sort="watchlistedAt:desc", type="99", includeUserState="1"),
        {"query.type": "media.type"},
        "watch-state-sync",
        plex="header",
    ),
    Call(
        "GET",
        "https://discover.provider.plex.tv/library/search?"
        + q(
            query="lighthouse",
            limit="30",
            searchTypes="movies,tv,people",
            searchProviders="discover,plexAVOD,plexFAST",
            includeMetadata="1",
            filterPeople="1",
        ),
        {"query.query": "ui.search_text"},
        "search",
        plex="header",
    ),
    Call(
        "GET",
        f"https://metadata.provider.plex.tv/library/metadata/{FILM}?includeReviews=1&includeUserState=1",
        {"path": "media.external_id"},
        "metadata-lookup",
    ),
    Call(
        "PUT",
        f"https://discover.provider.plex.tv/actions/addToWatchlist?ratingKey={FILM}",
        {"path": "play.watchlist", "query.ratingKey": "media.external_id"},
        "watch-state-sync",
        plex="header",
    ),
    Call(
        "PUT",
        f"https://discover.provider.plex.tv/actions/scrobble?key={FILM}&identifier=tv.plex.provider.discover",
        {"path": "play.watched_state", "query.key": "media.external_id"},
        "watch-state-sync",
        plex="lower",
    ),
    Call(
        "PUT",
        f"https://discover.provider.plex.tv/actions/rate?key={FILM}&identifier=tv.plex.provider.discover&rating=8",
        {"query.rating": "play.rating_review", "query.key": "media.external_id"},
        "watch-state-sync",
        plex="header",
    ),
    Call(
        "GET", f"https://vod.provider.plex.tv/library/metadata/{FILM}", {"path": "media.external_id"}, "cloud-content"
    ),
    Call(
        "GET",
        "https://vod.provider.plex.tv/ad?"
        + q(
            **{
                "X-Plex-Advertising-Identifier": "3f8a1c52-77de-4b10-9c41-d2e95a6b0f17",
                "X-Plex-Advertising-DoNotTrack": "0",
            }
        ),
        {
            "path": "ads.request",
            "query.X-Plex-Advertising-Identifier": "client.advertising_id",
            "query.X-Plex-Advertising-DoNotTrack": "client.dnt_flag",
        },
        "advertising",
    ),
    Call(
        "GET",
        "https://epg.provider.plex.tv/library/parts/5fc7-61a0/variant.m3u8?"
        + q(
            **{
                "x-plex-advertising-identifier": "3f8a1c52-77de-4b10-9c41-d2e95a6b0f17",
                "x-plex-advertising-donottrack": "0",
                "x-plex-playback-id": "b1d7e2c4-5f60",
                "x-plex-playback-session-id": PLAY,
            }
        ),
        {
            "query.x-plex-advertising-identifier": "client.advertising_id",
            "query.x-plex-advertising-donottrack": "client.dnt_flag",
            "query.x-plex-playback-id": "play.session_id",
            "query.x-plex-playback-session-id": "play.session_id",
        },
        "cloud-content",
        plex="lower",
    ),
    Call(
        "POST",
        "https://vod.provider.plex.tv/:/timeline?"
        + q(ratingKey=FILM, key=f"/library/metadata/{FILM}", state="playing", time="10000", duration="5400000"),
        {
            "query.ratingKey": "media.external_id",
            "query.key": "media.external_id",
            "query.state": "play.watched_state",
            "query.time": "play.position_time",
            "query.duration": "media.duration",
        },
        "playback-report",
        plex="header",
    ),
    Call(
        "POST",
        "https://community.plex.tv/api",
        {"body.operationName": "event.name", "body.variables.metadataID": "media.external_id"},
        "social",
        plex="header",
        body=f'{{"query":"query getReviews($metadataID: ID!) {{ reviews(id: $metadataID) {{ id }} }}","operationName":'
        f'"getReviews",'
        f'"variables":{{"metadataID":"{FILM}","first":20,"after":null}}}}',
    ),
    Call(
        "POST",
        "https://community.plex.tv/api",
        {"body.operationName": "event.name", "body.variables.uuid": "account.uuid"},
        "social",
        plex="header",
        body=f'{{"query":"query GetWatchHistoryHub($uuid: ID!) {{ user(id: $uuid) {{ id }} }}","operationName":'
        f'"GetWatchHistoryHub",'
        f'"variables":{{"uuid":"{UUID}","first":50,"skipUserState":true}}}}',
    ),
    Call(
        "POST",
        "https://community.plex.tv/api",
        {
            "body.operationName": "event.name",
            "body.variables.input.metadata": "media.external_id",
            "body.variables.input.message": "play.rating_review",
            "body.variables.input.hasSpoilers": "",
        },
        "social",
        plex="header",
        body=f'{{"query":"mutation createReview($input: CreateReviewInput!) {{ createReview(input: $input)}}",'
        f'"operationName":"createReview","variables":{{"input":{{"metadata":"{FILM}","message":"so quiet, so good",'
        f'"hasSpoilers":false}}}}}}',
    ),
    Call(
        "GET",
        "https://images.plex.tv/photo?"
        + q(size="medium-240", scale="2", url="https://metadata-static.plex.tv/4/gracenote/4a7f0c.jpg"),
        {"query.url": "media.url"},
        "images-cdn",
        plex="",
    ),
    Call("GET", "https://provider-static.plex.tv/5/epg/cms/logo.png", {"path": "media.url"}, "images-cdn", plex=""),
    Call("GET", "https://sonos.plex.tv/resources", {}, "remote-discovery"),
    statistics(
        "client:view", '"page":"home","context":"sidebar:home"', {"page": "ui.action_page", "context": "ui.action_page"}
    ),
    statistics(
        "client:click",
        '"page":"home","pane":"hub","action":"play","type":"movie","identifier":"com.plexapp.plugins.library",'
        '"serverType":"owned","connectionType":"localhost","mode":"modal","context":"hub:movie.recentlyadded","row":2,"col":5',
        {
            "page": "ui.action_page",
            "pane": "ui.action_page",
            "action": "ui.action_page",
            "type": "media.type",
            "identifier": "library.settings",
            "serverType": "server.config",
            "connectionType": "net.connection_type",
            "mode": "play.decision",
            "context": "ui.action_page",
            "row": "ui.action_page",
            "col": "ui.action_page",
        },
        "null",
    ),
    statistics("playback:itemstart", PLAYBACK + ',"latency":713', {**PLAYBACK_ITEMS, "latency": "play.quality_events"}),
    statistics(
        "playback:itemend",
        PLAYBACK + ',"playbackTime":180,"playbackCount":1,"status":"completed"',
        {
            **PLAYBACK_ITEMS,
            "playbackTime": "play.watched_time",
            "playbackCount": "play.quality_events",
            "status": "play.quality_events",
        },
    ),
    statistics(
        "playback:sessionend",
        '"playbackTime":180,"playbackCount":1,"type":"movie","page":"preplay"',
        {
            "playbackTime": "play.watched_time",
            "playbackCount": "play.quality_events",
            "type": "media.type",
            "page": "ui.action_page",
        },
    ),
    # Others.
    Call(
        "POST",
        "https://o17430.ingest.sentry.io/api/5515/envelope/?"
        + q(
            sentry_key="0a1b2c3d4e5f60718293a4b5c6d7e8f9",
            sentry_version="7",
            sentry_client="sentry.javascript.browser/8.33.1",
        ),
        {
            "query.sentry_client": "",
            "body.0.sent_at": "event.time",
            "body.2.timestamp": "event.time",
            "body.2.release": "client.app",
            "body.2.environment": "client.app",
            "body.2.user.id": "account.id",
            "body.2.exception.values.0.value": "diag.error",
            "body.2.exception.values.0.type": "diag.error",
            "body.2.request.url": "ui.action_page",
        },
        "crash-report",
        plex="",
        kind="text/plain;charset=UTF-8",
        body='{"event_id":"9d3b6a1c0e5f4b7282c1d0e9f8a7b6c5","sent_at":"2026-01-11T19:20:21.000Z"}\n{"type":"event"}\n'
        f'{{"event_id":"9d3b6a1c0e5f4b7282c1d0e9f8a7b6c5","timestamp":1768159221.0,"platform":"javascript","release":"4.141.1",'
        f'"environment":"production","user":{{"id":"{USER}"}},"exception":{{"values":[{{"type":"TypeError",'
        f'"value":"x is undefined"}}]}},"request":{{"url":"https://app.plex.tv/desktop/"}}}}\n',
    ),
    Call(
        "POST",
        "https://www.google-analytics.com/g/collect?"
        + q(
            v="2",
            tid="G-MADEUP0001",
            gtm="45je51",
            _p="1768159200",
            cid="1029384756.1768150000",
            ul="de-at",
            sr="1536x864",
            uaa="x86",
            uab="64",
            uamb="0",
            uap="Linux",
            sid="1768159190",
            sct="3",
            seg="1",
            dl="https://app.plex.tv/desktop/#!/",
            dr="https://www.plex.tv/",
            dt="Plex",
            en="page_view",
        ),
        {
            "query.cid": "client.id",
            "query.ul": "client.language",
            "query.sr": "client.screen",
            "query.uap": "client.os",
            "query.sid": "client.session_id",
            "query.dl": "ui.action_page",
            "query.dr": "ui.referrer_campaign",
            "query.dt": "ui.action_page",
            "query.en": "event.name",
            "query.uaa": "client.hardware",
            "query.uab": "client.hardware",
            "query.uamb": "client.device_type",
        },
        "usage-statistics",
        plex="",
    ),
    Call(
        "GET",
        "https://pubads.g.doubleclick.net/gampad/ads?"
        + q(
            iu="/12345/plex/web",
            sz="640x480",
            env="vp",
            gdfp_req="1",
            output="vast",
            correlator="8812736450912",
            url="https://app.plex.tv/desktop/",
            ppid="7c1e9f",
        ),
        {
            "query.iu": "ads.request",
            "query.sz": "ads.request",
            "query.output": "ads.request",
            "query.ppid": "client.id",
            "query.url": "ui.action_page",
        },
        "advertising",
        plex="",
    ),
    Call("GET", "https://imasdk.googleapis.com/js/sdkloader/ima3.js", {}, "advertising", plex=""),
)

PRIVATE = (
    HASH, MACHINE, CLIENT, TOKEN, SERVER_TOKEN, USER, UUID, FILM, RUN, PLAY,
    "kim@example.net", "kim.attic", "Kims Laptop", "correct horse made up", "482913", "attic-nas", "Attic films",
    "192.168.88.21", "192-168-88-21", "203.0.113.77", "203.0.113.199", "hooks.example.org", "lighthouse",
    "so quiet, so good", "6931420", "3f8a1c52-77de-4b10-9c41-d2e95a6b0f17", "1029384756.1768150000",
)  # fmt: skip
"""Values that tell who it is."""
