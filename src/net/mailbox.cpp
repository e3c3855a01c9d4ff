#include "net/mailbox.hpp"

#include <utility>

namespace millrace::http {

bool Mailbox::send(Letter&& letter) {
  {
    const std::lock_guard lock{mutex_};
    if (closed_) return false;
    letters_.push_back(std::move(letter));
    has_mail_.store(true);
  }
  wake_if_asleep();
  return true;
}

bool Mailbox::post(UniqueFunction<void()> task) {
  {
    const std::lock_guard lock{mutex_};
    if (closed_) return false;
    tasks_.push_back(std::move(task));
    has_mail_.store(true);
  }
  wake_if_asleep();
  return true;
}

// Sender: has_mail_ = true, then reads asleep_. Sleeper: asleep_ = true, then reads has_mail_. Both sequentially
// consistent, so at least one of them sees the other.
void Mailbox::wake_if_asleep() noexcept {
  if (asleep_.load() && asleep_.exchange(false)) poller_.wake();
}

void Mailbox::wait(std::chrono::milliseconds timeout) {
  asleep_.store(true);
  poller_.wait(has_mail_.load() ? std::chrono::milliseconds{0} : timeout);
  asleep_.store(false);
}

void Mailbox::collect(std::vector<Letter>& letters, std::vector<UniqueFunction<void()>>& tasks) {
  if (!has_mail_.load()) return;
  const std::lock_guard lock{mutex_};
  has_mail_.store(false);
  letters.swap(letters_);
  tasks.swap(tasks_);
}

void Mailbox::close() {
  const std::lock_guard lock{mutex_};
  closed_ = true;
}

}  // namespace millrace::http
