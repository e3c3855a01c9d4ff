#pragma once

#include <stdexcept>
#include <string>
#include <utility>

#include <millrace/result.hpp>
#include <millrace/task.hpp>

namespace millrace {

/// Thrown by a handler: this task can never succeed. It goes to the dead letters now, whatever retries are left.
class Permanent : public std::runtime_error {
 public:
  /// message  for people; kept with the task, at most 8 KiB.
  /// type     for programs; what `TaskFailed::type()` and the record's `error.type` say.
  explicit Permanent(const std::string& message, std::string type = "Permanent")
      : std::runtime_error(message), type_(std::move(type)) {}
  const std::string& type() const noexcept { return type_; }

 private:
  std::string type_;
};

/// Thrown by a handler: not now. The task is offered again after `delay`, and no retry is spent (at most 1,000 times).
class Defer : public std::exception {
 public:
  explicit Defer(Milliseconds delay) : delay_(delay) {}
  Milliseconds delay() const noexcept { return delay_; }
  const char* what() const noexcept override { return "deferred"; }

 private:
  Milliseconds delay_;
};

/// Thrown by `TaskHandle::wait`: the task was not finished in time. It goes on; wait again.
class Timeout : public Failure {
 public:
  explicit Timeout(std::string detail) : Failure(Error{ErrorCode::timed_out, std::move(detail)}) {}
};

/// Thrown by `TaskHandle::wait`: the task ended without a result, as failed, cancelled or expired.
class TaskFailed : public Failure {
 public:
  TaskFailed(TaskError error, Status status, std::uint32_t attempts)
      : Failure(Error{ErrorCode::task_failed, error.type + ": " + error.message}),
        task_error_(std::move(error)),
        status_(status),
        attempts_(attempts) {}
  /// What the last attempt said: a class or reason, such as `SmtpError`, `poison`, `cancelled`.
  const std::string& type() const noexcept { return task_error_.type; }
  const std::string& message() const noexcept { return task_error_.message; }
  const std::string& detail() const noexcept { return task_error_.detail; }
  Status status() const noexcept { return status_; }
  std::uint32_t attempts() const noexcept { return attempts_; }

 private:
  TaskError task_error_;
  Status status_;
  std::uint32_t attempts_;
};

}  // namespace millrace
