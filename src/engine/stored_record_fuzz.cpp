// Stored records from bytes that nobody vouches for: events, journal records, block images, chunk records, globals,
// aliases and tokens. Checksums are put right, so that the bytes behind them are read.
#include "base/bytes.hpp"
#include "base/crc32c.hpp"
#include "codec/content.hpp"
#include "codec/token_sealer.hpp"
#include "engine/block_image.hpp"
#include "engine/events.hpp"
#include "engine/journal.hpp"
#include "engine/snapshot.hpp"

namespace {

using namespace millrace;
using namespace millrace::engine;

std::string sealed(std::string_view key, std::string_view body) {
  std::string value(body);
  ByteWriter(value).fixed32(crc32c(value, crc32c(key)));
  return value;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 7) {
    case 0:
      (void)read_events(body, [](auto&&) {});
      break;
    case 1:
      (void)read_journal_record(journal_key(1), sealed(journal_key(1), body));
      break;
    case 2:
      (void)read_block(1, block_key(1, 1), sealed(block_key(1, 1), body),
                       [](std::string_view) { return std::optional<std::string>("blob"); });
      break;
    case 3: {
      State state;
      std::vector<StoredLease> leases;
      (void)read_globals(sealed(globals_key, body), state, leases);
      break;
    }
    case 4: {
      State state;
      (void)read_chunk(chunk_key(0, 1), sealed(chunk_key(0, 1), body), 0, state);
      break;
    }
    case 5: {
      (void)decode_alias(body);
      TaskSpec spec;
      (void)decode_content(body, true, spec);
      break;
    }
    default: {
      static TokenSealer sealer({1, 2, 3});
      (void)sealer.open(body);
    }
  }
  return 0;
}
