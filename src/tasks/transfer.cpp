#include "tasks/transfer.hpp"

#include <algorithm>

namespace millrace::tasks {
namespace {

/// libcurl wants one call before any thread uses it; its own destructor order is the process's.
void initialise_once() {
  static const CURLcode done = curl_global_init(CURL_GLOBAL_DEFAULT);
  static_cast<void>(done);
}

int abort_if_given_up(void* context, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return *static_cast<const CURLcode*>(context) == CURLE_OK ? 0 : 1;
}

}  // namespace

CurlEasy new_transfer() {
  initialise_once();
  CurlEasy handle{curl_easy_init()};
  if (!handle) return handle;
  curl_easy_setopt(handle.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle.get(), CURLOPT_PROXY, "");
  curl_easy_setopt(handle.get(), CURLOPT_NOPROXY, "*");
  curl_easy_setopt(handle.get(), CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(handle.get(), CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  curl_easy_setopt(handle.get(), CURLOPT_DNS_CACHE_TIMEOUT, 0L);
  curl_easy_setopt(handle.get(), CURLOPT_QUICK_EXIT, 1L);
  return handle;
}

bool append(CurlList& list, const std::string& line) {
  curl_slist* longer = curl_slist_append(list.get(), line.c_str());
  if (longer == nullptr) return false;
  static_cast<void>(list.release());  // the same list, or now its head
  list.reset(longer);
  return true;
}

CURLcode run_transfer(CURL* handle, std::chrono::milliseconds time, std::stop_token stop) {
  const auto until = std::chrono::steady_clock::now() + time;
  CURLcode gave_up = CURLE_OK;
  curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, &abort_if_given_up);
  curl_easy_setopt(handle, CURLOPT_XFERINFODATA, &gave_up);
  const CurlMulti multi{curl_multi_init()};
  if (!multi || curl_multi_add_handle(multi.get(), handle) != CURLM_OK) return CURLE_OUT_OF_MEMORY;
  {
    const std::stop_callback on_stop(stop, [&multi] { curl_multi_wakeup(multi.get()); });
    for (int running = 1; running > 0 && gave_up == CURLE_OK;) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now()).count();
      if (stop.stop_requested())
        gave_up = CURLE_ABORTED_BY_CALLBACK;
      else if (left <= 0)
        gave_up = CURLE_OPERATION_TIMEDOUT;
      // Performed once more when given up: only its own callback ends a transfer for good. Taking the handle away
      // would let SMTP finish politely, which waits for the server and may even complete half a message.
      if (curl_multi_perform(multi.get(), &running) != CURLM_OK) gave_up = CURLE_FAILED_INIT;
      if (running > 0 && gave_up == CURLE_OK)
        curl_multi_poll(multi.get(), nullptr, 0, static_cast<int>(std::clamp<std::int64_t>(left, 1, 60'000)), nullptr);
    }
  }
  CURLcode outcome = gave_up;
  int queued = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi.get(), &queued))
    if (message->msg == CURLMSG_DONE && (gave_up == CURLE_OK || message->data.result == CURLE_OK))
      outcome = message->data.result;  // done in the last moment is done
  curl_multi_remove_handle(multi.get(), handle);
  return outcome;
}

}  // namespace millrace::tasks
