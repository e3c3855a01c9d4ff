// Worker calls come from outside, and so do the answers of another server. Properties: what is accepted is written and
// read back the same; every item of a list is good or bad and none is lost; no input crashes.
#include <cstdint>
#include <cstdlib>

#include "codec/json_record.hpp"
#include "codec/json_work.hpp"

namespace {

template <class Value, class Write, class Read>
void check_stable(const Value& value, Write&& write, Read&& read) {
  std::string json;
  write(json, value);
  const auto again = read(json);
  if (!again) std::abort();
  std::string twice;
  write(twice, *again);
  if (twice != json) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace millrace;
  using namespace millrace::codec;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto call = read_work_call(text)) {
    if (call->request.wait > Milliseconds{30'000} || call->request.worker.inside_server) std::abort();
    WorkReply reply;
    reply.settled.resize(call->request.settle.size());
    reply.extended.resize(call->request.extend.size());
    merge_bad_items(reply, *call);
    if (reply.settled.size() != call->request.settle.size() + call->bad_settles.size()) std::abort();
    check_stable(call->request, write_work_request, [](std::string_view json) -> Result<WorkRequest> {
      auto again = read_work_call(json);
      if (!again) return again.error();
      return std::move(again->request);
    });
  }
  if (const auto reply = read_work_reply(text)) {
    check_stable(
        *reply, [](std::string& out, const WorkReply& value) { write_work_reply(out, value, ""); }, read_work_reply);
  }
  if (const auto record = read_record(text)) {
    std::string json;
    write_record(json, *record);
    (void)read_record(json);
  }
  ignore(read_page(text), "only crashes matter");
  ignore(read_stats(text), "only crashes matter");
  ignore(read_guarantees(text), "only crashes matter");
  ignore(read_act_reply(text), "only crashes matter");
  (void)read_problem(500, text);
  return 0;
}
