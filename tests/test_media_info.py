"""What own servers answer about films."""

from __future__ import annotations

from pathlib import Path

from analysis.media_info import files, films
from sessions import SERVER, entry, plex_headers
from test_generalise import result_of

LIST = """<MediaContainer><Video ratingKey="1" duration="5400123"><Media bitrate="4486" width="1920" height="800"
 videoCodec="h264" audioCodec="aac" container="mkv"/></Video><Video ratingKey="2" duration="7201777">
<Media bitrate="9000"/><Media bitrate="3000"/></Video></MediaContainer>"""


def test_a_list_gives_each_film_its_own_numbers(tmp_path: Path) -> None:
    found = films(
        result_of(tmp_path, [entry(0, "GET", f"{SERVER}/library/sections/1/all", headers=plex_headers(), answer=LIST)])
    )
    assert {key: film.one("media.duration") for key, film in found.items()} == {"1": 5400.123, "2": 7201.777}
    assert [film.one("media.bitrate") for film in found.values()] == [4486, None]
    one, two = files(found)
    assert one[1:] == (5400.123, 4486, 1920, 800, None, "mkv", "h264", "aac")
    assert (two.duration, two.bitrate, two.container) == (7201.777, None, "")


def test_what_a_vendor_answers_is_no_exact_number(tmp_path: Path) -> None:
    seen = entry(0, "GET", "https://vod.provider.plex.tv/library/metadata/1", headers=plex_headers(), answer=LIST)
    assert films(result_of(tmp_path, [seen])) == {}
