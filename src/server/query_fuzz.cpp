// Queries, filters, paths and confirmations come from outside. Properties: an accepted filter has one text that names
// only what it may; a made-up confirmation is never believed; no input crashes.
#include <cstdint>
#include <cstdlib>

#include "codec/json_check.hpp"
#include "server/bulk.hpp"
#include "server/confirmation.hpp"
#include "server/list_query.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace millrace;
  using namespace millrace::server;
  const std::string text(reinterpret_cast<const char*>(data), size);
  static const Router router(all_routes());
  static const Confirmations confirmations;

  const http::Request request("GET", "/api/v1/tasks?" + text);
  if (const auto list = read_list_query(request.query_values())) {
    if (list->limit < 1 || list->limit > 1000) std::abort();
    (void)filter_text(*list);
  }
  if (codec::check_json(text)) {
    if (const auto filter = read_filter(text); filter && filter->limit != 100) std::abort();
  }
  if (const auto bulk = read_bulk_request(text); bulk && bulk->filter) {
    const auto subject = bulk_subject(*bulk);
    if (!confirmations.check(confirmations.make(subject, 1, {}), subject, {})) std::abort();
  }
  if (confirmations.check(text, "subject", {})) std::abort();
  const http::Request path("GET", "/" + text);
  const auto match = router.find(http::Method::get, path.path_segments());
  if (match.route != nullptr && !match.allowed.empty()) std::abort();
  return 0;
}
