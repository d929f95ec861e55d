"""What a reader of the image store may ask for: ranges and entity tags."""

from fuzz.laws import text_of

from bootz.images.ranges import ByteRange, names_tag, parse_range


def enter(data: bytes) -> None:
    size = data[0] if data else 0
    text = text_of(data[1:])
    names_tag(text, "ab" * 32, weak=True)
    names_tag(text, "ab" * 32, weak=False)
    found = parse_range(text, size)
    if isinstance(found, ByteRange):
        assert found.length >= 1
        assert found.start >= 0
        assert found.start + found.length <= size
