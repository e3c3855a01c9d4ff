#include "net/connection.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <utility>

#include <sys/epoll.h>

#include "base/random.hpp"
#include "net/cors.hpp"
#include "net/problem.hpp"
#include "net/response_text.hpp"

namespace millrace::http {
namespace {

constexpr std::size_t unsent_bytes_max = 64 * 1024;  // above, no further pipelined request is begun
constexpr std::chrono::seconds linger_time{2};
constexpr std::string_view continue_line = "HTTP/1.1 100 Continue\r\n\r\n";

/// The connection whose handler runs on this thread right now: an answer from inside needs no mail.
thread_local Connection* dispatched = nullptr;

std::uint64_t connection_seed() {
  static std::atomic<std::uint64_t> next{random_seed()};
  return next.fetch_add(0x9E3779B97F4A7C15);  // golden ratio: neighbours differ in their high bits
}

bool is_over(SteadyTime now, SteadyTime since, std::chrono::milliseconds allowed) { return now - since > allowed; }

}  // namespace

Connection::Connection(IoEnvironment& environment, Channel channel, Peer peer)
    : environment_(environment),
      mailbox_(environment.mailbox),
      channel_(std::move(channel)),
      parser_(environment.limits),
      watch_(std::make_shared<ConnectionWatch>(std::move(peer))),
      id_seed_(connection_seed()),
      phase_started_(environment.now) {}

void Connection::open() {
  interest_ = EPOLLIN | EPOLLRDHUP;
  mailbox_->poller().add(channel_.fd(), interest_, *this);
}

bool Connection::can_process() const noexcept {
  return !in_work_ && !stream_ && !close_after_flush_ && !closed_ && out_.size() < unsent_bytes_max;
}

bool Connection::is_idle() const noexcept {
  return !in_work_ && !stream_ && inbox_.empty() && out_.empty() && parser_.state() == RequestParser::State::idle;
}

// While a request is in work we go on reading, within bounds: it is the only way to see that the client is gone.
bool Connection::wants_read() const noexcept {
  if (lingering_) return true;
  return !end_of_input_ && !close_after_flush_ && inbox_.size() < environment_.options.pipelined_bytes_max;
}

void Connection::on_events(std::uint32_t events) {
  if (closed_) return;
  if (events & (EPOLLERR | EPOLLHUP)) return hang_up();
  if (events & EPOLLOUT) {
    const bool read_again = std::exchange(read_wants_write_, false);
    advance();
    if (read_again && !closed_) on_readable();
  }
  if (!closed_ && (events & (EPOLLIN | EPOLLRDHUP))) on_readable();
}

void Connection::on_readable() {
  if (lingering_) return discard();
  // A plain socket is read once per event, epoll tells of the rest; TLS may hold decrypted bytes that epoll cannot see.
  do {
    const auto [status, size] = channel_.read(environment_.scratch.data(), environment_.scratch.size());
    switch (status) {
      case IoStatus::done:
        consume({environment_.scratch.data(), size});
        break;
      case IoStatus::would_block:
        return update_interest();
      case IoStatus::wants_write:
        read_wants_write_ = true;
        return update_interest();
      case IoStatus::closed:
        return on_end_of_input();
      case IoStatus::failed:
        if (!channel_.handshake_done()) ++environment_.counters.tls_failures;
        return hang_up();
    }
  } while (channel_.is_tls() && !closed_ && !lingering_ && wants_read());
  read_paused_ = channel_.is_tls() && !closed_ && !lingering_;
}

void Connection::consume(std::string_view bytes) {
  environment_.counters.bytes_received += bytes.size();
  if (inbox_.empty() && can_process()) {
    const auto used = process(bytes);
    if (!close_after_flush_) inbox_.assign(bytes.substr(used));
  } else {
    inbox_.append(bytes);
  }
  advance();
}

void Connection::on_end_of_input() {
  end_of_input_ = true;
  if (stream_) return hang_up();
  if (in_work_) {
    ++environment_.counters.peers_gone;
    watch_->mark_gone();
  }
  advance();
}

std::size_t Connection::process(std::string_view bytes) {
  std::size_t used = 0;
  while (used < bytes.size() && can_process()) {
    const auto before = parser_.state();
    used += parser_.feed(bytes.substr(used));
    if (parser_.state() != before) phase_started_ = environment_.now;
    if (parser_.state() == RequestParser::State::complete) dispatch();
    if (parser_.state() == RequestParser::State::fault) refuse(parser_.fault());
    if (parser_.take_continue()) out_.text().append(continue_line);
  }
  return used;
}

/// Begins what can be begun and writes what can be written.
void Connection::advance() {
  do {
    if (!inbox_.empty() && can_process()) inbox_.erase(0, process(inbox_));
    flush();
  } while (!inbox_.empty() && can_process());
  if (read_paused_ && !closed_ && !lingering_ && wants_read()) {
    read_paused_ = false;
    on_readable();
  }
}

void Connection::dispatch() {
  auto request = parser_.take();
  ++ticket_;
  in_work_ = true;
  answers_head_ = request.method == Method::head;
  ++environment_.counters.requests;
  ++environment_.counters.requests_in_work;
  if (request.request_id.empty()) request.request_id = next_request_id();
  request_id_ = request.request_id;
  request.watch = watch_;
  cross_origin_ = allowed_cross_origin(request, environment_.options.refuse);
  if (auto refused = refusal(request, environment_.options.refuse)) {
    ++environment_.counters.rejected_policy;
    return answer(std::move(*refused));
  }
  if (auto asked = preflight(request, environment_.options.refuse)) return answer(std::move(*asked));
  environment_.handlers_ran = true;
  dispatched = this;
  try {
    environment_.handler(std::move(request), Responder{shared_from_this(), ticket_});
  } catch (...) {
    // A bug of the handler. Its responder was destroyed on the way here, and that has answered 500.
  }
  dispatched = nullptr;
  if (inline_answer_) {
    auto response = std::move(*inline_answer_);
    inline_answer_.reset();
    answer(std::move(response));
  }
}

void Connection::deliver(std::uint64_t ticket, Response response) {
  if (dispatched == this && ticket == ticket_) return void(inline_answer_ = std::move(response));
  Letter letter{shared_from_this(), ticket, std::move(response)};
  if (mailbox_->send(std::move(letter))) return;
  // NOLINTNEXTLINE(bugprone-use-after-move): a letter that was not sent is untouched
  auto& failed = std::get<Response>(letter.content).delivery_failed;
  if (failed) failed();
}

void Connection::receive(Letter& letter) {
  const bool is_current = !closed_ && letter.ticket == ticket_;
  if (auto* response = std::get_if<Response>(&letter.content)) {
    if (!is_current || !in_work_) return fail_delivery(response->delivery_failed);
    answer(std::move(*response));
    return advance();
  }
  if (!is_current || !stream_) return;
  if (const auto* bytes = std::get_if<StreamBytes>(&letter.content)) {
    stream_->mailed -= bytes->size();
    stream_bytes(*bytes);
  } else {
    end_stream();
  }
  advance();
}

void Connection::answer(Response response) {
  in_work_ = false;
  --environment_.counters.requests_in_work;
  phase_started_ = environment_.now;
  // The kernel would take the bytes for a peer that has closed; what must not get lost is not sent there.
  if (end_of_input_ && response.delivery_failed) {
    fail_delivery(response.delivery_failed);
    return close();
  }
  if (!cross_origin_.empty()) allow_origin(response, cross_origin_);
  const bool is_stream = static_cast<bool>(response.stream);
  const bool close = is_stream || response.close || environment_.draining || !parser_.keep_alive();
  const Framing framing{close, parser_.is_http_1_0(), is_stream, environment_.date, request_id_};
  append_head(out_.text(), response, framing);
  if (is_stream && !answers_head_) return open_stream(response);
  if (!answers_head_ && may_have_body(response.status)) out_.append(std::move(response.body));
  if (response.delivery_failed) deliveries_.push_back({sent_ + out_.size(), std::move(response.delivery_failed)});
  watch_->forget();
  if (close) close_after_flush_ = true;
}

void Connection::open_stream(Response& response) {
  stream_ = std::make_shared<StreamState>();
  stream_->bytes_max = environment_.options.stream_bytes_max;
  if (!response.body.empty()) stream_bytes(response.body);
  if (environment_.draining) return end_stream();
  response.stream(std::make_shared<StreamHandle>(stream_, mailbox_, shared_from_this(), ticket_));
}

void Connection::stream_bytes(std::string_view bytes) {
  parser_.is_http_1_0() ? void(out_.text().append(bytes)) : append_chunk(out_.text(), bytes);
}

void Connection::end_stream() {
  if (!parser_.is_http_1_0()) append_chunk(out_.text(), {});
  stream_->gone = true;
  stream_.reset();
  watch_->forget();
  close_after_flush_ = true;
}

void Connection::refuse(const Fault& fault) {
  auto& counters = environment_.counters;
  ++(fault.code == ErrorCode::too_large ? counters.rejected_too_large : counters.rejected_framing);
  const auto response = problem(
      fault.code, {.detail = std::string{fault.detail}, .field = {}, .limit = fault.limit, .status = fault.status});
  append_head(out_.text(), response, {.close = true, .date = environment_.date});
  out_.text().append(response.body);
  close_after_flush_ = true;
}

void Connection::flush() {
  if (closed_) return;
  while (!out_.empty()) {
    const auto [status, size] = channel_.write(out_);
    if (status == IoStatus::would_block) break;
    if (status != IoStatus::done) return hang_up();
    out_.consume(size);
    sent_ += size;
    environment_.counters.bytes_sent += size;
  }
  if (!deliveries_.empty()) settle_deliveries();
  if (stream_) stream_->queued = out_.size();
  if (out_.empty()) {
    stalled_ = false;
    const bool served_all = end_of_input_ && !in_work_ && inbox_.empty();
    if (!closed_ && !lingering_ && (close_after_flush_ || served_all)) return finish();
  } else if (!stalled_) {
    stalled_ = true;
    stalled_since_ = environment_.now;
    sent_before_stall_ = sent_;
  }
  update_interest();
}

void Connection::settle_deliveries() {
  std::size_t sent = 0;
  while (sent < deliveries_.size() && deliveries_[sent].end <= sent_) ++sent;
  deliveries_.erase(deliveries_.begin(), deliveries_.begin() + static_cast<std::ptrdiff_t>(sent));
}

void Connection::update_interest() {
  if (closed_) return;
  std::uint32_t wanted = 0;
  if (wants_read()) wanted |= EPOLLIN | EPOLLRDHUP;
  if (!out_.empty() || read_wants_write_) wanted |= EPOLLOUT;
  if (wanted == interest_) return;
  interest_ = wanted;
  mailbox_->poller().modify(channel_.fd(), wanted, *this);
}

void Connection::finish() {
  if (end_of_input_) return close();
  channel_.finish_writing();
  lingering_ = true;
  phase_started_ = environment_.now;
  inbox_ = {};
  update_interest();
}

void Connection::discard() {
  const auto [status, size] = channel_.read(environment_.scratch.data(), environment_.scratch.size());
  if (status == IoStatus::closed || status == IoStatus::failed) close();
}

void Connection::hang_up() {
  if (in_work_ && !end_of_input_) ++environment_.counters.peers_gone;
  close();
}

void Connection::close() {
  if (std::exchange(closed_, true)) return;
  mailbox_->poller().remove(channel_.fd());
  channel_.close();
  if (in_work_) --environment_.counters.requests_in_work;
  if (stream_) stream_->gone = true;
  watch_->mark_gone();
  for (auto& delivery : std::exchange(deliveries_, {})) fail_delivery(delivery.failed);
  environment_.release(*this);
}

void Connection::fail_delivery(UniqueFunction<void()>& failed) {
  ++environment_.counters.deliveries_failed;
  if (failed) failed();
}

void Connection::drain() {
  if (stream_) {
    end_stream();
    advance();
  } else if (is_idle() && !lingering_) {
    close();
  }
}

void Connection::sweep() {
  const auto& options = environment_.options;
  auto& counters = environment_.counters;
  const auto now = environment_.now;
  // What moves at the least allowed rate earns its time, so a trickle does not hold a connection for ever.
  const auto earned = [&](std::uint64_t bytes) {
    return std::chrono::milliseconds{bytes * 1000 / std::max<std::size_t>(options.body_bytes_per_second_min, 1)};
  };
  if (lingering_) {
    if (is_over(now, phase_started_, linger_time)) close();
  } else if (stalled_) {
    if (!is_over(now, stalled_since_, options.write_timeout + earned(sent_ - sent_before_stall_))) return;
    ++counters.timed_out_write;
    close();
  } else if (in_work_ || stream_) {
    return;  // the handler bounds its own time
  } else if (parser_.state() == RequestParser::State::body) {
    if (!is_over(now, phase_started_, options.body_grace + earned(parser_.body_size()))) return;
    time_out(counters.timed_out_body, "the body arrives too slowly");
  } else if (parser_.state() == RequestParser::State::head) {
    if (is_over(now, phase_started_, options.header_timeout)) {
      time_out(counters.timed_out_header, "the request's head did not arrive in time");
    }
  } else if (is_over(now, phase_started_, channel_.handshake_done() ? options.idle_timeout : options.header_timeout)) {
    ++(channel_.handshake_done() ? counters.timed_out_idle : counters.timed_out_header);
    close();
  }
}

void Connection::time_out(std::atomic<std::uint64_t>& counter, std::string_view detail) {
  ++counter;
  const auto response = problem(ErrorCode::malformed, {.detail = std::string{detail}, .status = 408});
  append_head(out_.text(), response, {.close = true, .date = environment_.date});
  out_.text().append(response.body);
  close_after_flush_ = true;
  flush();
}

/// Eight characters for the connection and a count: short enough to need no memory of its own.
std::string Connection::next_request_id() {
  constexpr std::string_view alphabet = "0123456789abcdefghijklmnopqrstuv";
  char text[15];
  for (int i = 0; i < 8; ++i) text[i] = alphabet[(id_seed_ >> (24 + 5 * i)) & 31];
  text[8] = '-';
  constexpr std::uint64_t modulus = 36ULL * 36 * 36 * 36 * 36 * 36;
  const auto end = std::to_chars(text + 9, text + 15, ticket_ % modulus, 36).ptr;
  return {text, end};
}

}  // namespace millrace::http
