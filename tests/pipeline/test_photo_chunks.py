"""The index of photos does what a mapping in memory does."""

from hypothesis import given
from hypothesis import strategies as st

from fer_batch.pipeline.photo_chunks import PhotoChunks

DIGESTS = st.sampled_from([f"digest {number}" for number in range(9)])


@given(st.lists(st.tuples(st.lists(DIGESTS), st.sampled_from(["one", "two", "three", ""]))))
def test_the_last_chunk_that_was_put_holds_a_photo(steps: list[tuple[list[str], str]]) -> None:
    chunks, expected = PhotoChunks(), dict[str, str]()
    for digests, key in steps:
        if key:
            chunks.put(digests, key)
            expected |= dict.fromkeys(digests, key)
        else:
            chunks.drop(digests)
            expected = {digest: key for digest, key in expected.items() if digest not in digests}
        asked = [*digests, "digest 0", "another"]
        assert chunks.keys(asked) == [expected.get(digest, "") for digest in asked]
