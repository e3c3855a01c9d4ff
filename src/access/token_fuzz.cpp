// Token files and Authorization headers come from outside. Properties: a digest found by its own token, what is
// accepted is accepted again, and no input crashes.
#include <cstdlib>

#include "access/failure_limiter.hpp"
#include "access/token_table.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace millrace::access;
  const std::string_view text(reinterpret_cast<const char*>(data), size);

  if (const auto token = bearer_token(text)) {
    if (token->empty() || token->size() > token_bytes_max) std::abort();
    const auto header = "Bearer " + std::string(*token);
    const auto again = bearer_token(header);
    if (!again || *again != *token) std::abort();
    const auto table = TokenTable::parse("fuzz:viewer:" + to_hex(digest_of(*token)) + "\n");
    if (!table || table->find(*token) == nullptr) std::abort();
  }
  if (const auto table = TokenTable::parse(text)) {
    if (const auto* found = table->find(text); found != nullptr && found->name.empty()) std::abort();
  } else if (table.error().detail.find("line ") == std::string::npos) {
    std::abort();
  }
  if (failure_key(text).size() > size + 64) std::abort();
  return 0;
}
