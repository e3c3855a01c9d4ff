#pragma once

#include <chrono>
#include <csignal>
#include <cstdint>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <iomanip>
#include <semaphore.h>
#include <sstream>
#include <stdexcept>
#include <stdlib.h>
#include <string>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

namespace millrace::redis::testing {

/// A port of 127.0.0.1 that nobody listens on now.
inline std::uint16_t free_port() {
  boost::asio::io_context context;
  boost::asio::ip::tcp::acceptor acceptor(context, {boost::asio::ip::make_address("127.0.0.1"), 0});
  return acceptor.local_endpoint().port();
}

/// A folder of its own that goes with it.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = std::filesystem::temp_directory_path() / "millrace-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = pattern;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
};

using Environment = std::vector<std::pair<std::string, std::string>>;

/// Wall time for servers: stands still and is moved by hand, forwards or back. It must outlive them.
///
/// It is libfaketime, loaded into the server. What the server measures on the monotonic clock goes on (its cron,
/// `lua-time-limit`); what it measures on the wall clock waits for `set` (TIME, expiry of keys, the timeout of BLPOP).
/// It costs speed: about 30 000 commands a second instead of 55 000, and 10 000 scripts instead of 45 000.
class ServerClock {
 public:
  explicit ServerClock(std::int64_t wall_ms = 1'800'000'000'000) { set(wall_ms); }

  /// The next command that a server gets sees `wall_ms`, which is not negative.
  void set(std::int64_t wall_ms) {
    std::ostringstream text;
    // The fraction is read as a floating-point number and cut off at the microsecond: half of one keeps it exact.
    text << wall_ms / 1000 << '.' << std::setw(3) << std::setfill('0') << wall_ms % 1000 << "0005\n";
    const auto next = file() + ".next";
    if (!(std::ofstream(next) << text.str() << std::flush)) throw std::runtime_error("cannot write " + next);
    std::filesystem::rename(next, file());
    now_ms_ = wall_ms;
  }
  std::int64_t now() const noexcept { return now_ms_; }

  /// What a process needs in its environment to live by this clock. Throws if libfaketime is not installed.
  Environment environment() const {
    // Malloc must be libc's: jemalloc reads the clock while it starts, libfaketime allocates while it does, and each
    // would wait for the other.
    return {{"LD_PRELOAD", library() + ":libc.so.6"},
            {"FAKETIME_TIMESTAMP_FILE", file()},
            {"FAKETIME_FMT", "%s"},
            {"FAKETIME_NO_CACHE", "1"},
            {"FAKETIME_DONT_FAKE_MONOTONIC", "1"},
            {"TZ", "UTC"}};
  }

 private:
  std::string file() const { return folder_.path() + "/now"; }
  static std::string library() {
    for (const auto& folder : std::filesystem::directory_iterator("/usr/lib")) {
      const auto path = folder.path() / "faketime/libfaketime.so.1";
      if (std::error_code error; std::filesystem::exists(path, error)) return path;
    }
    throw std::runtime_error("libfaketime.so.1 is missing: install the package faketime");
  }

  TemporaryFolder folder_;
  std::int64_t now_ms_ = 0;
};

/// One process of Debian's redis-server. It dies with the thread that started it.
class ServerProcess {
 public:
  /// environment  added to our own
  explicit ServerProcess(std::vector<std::string> words, Environment environment = {})
      : words_(std::move(words)), environment_(std::move(environment)) {
    start();
  }
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;
  ~ServerProcess() { kill(); }

  void start() {
    std::vector<char*> argv;
    for (auto& word : words_) argv.push_back(word.data());
    argv.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      const int nothing = ::open("/dev/null", O_RDWR);
      ::dup2(nothing, STDOUT_FILENO);
      for (const auto& [name, value] : environment_) ::setenv(name.c_str(), value.c_str(), 1);
      ::execvp(argv[0], argv.data());
      ::_exit(127);
    }
  }
  void signal(int number) const noexcept { ::kill(pid_, number); }
  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    // What libfaketime leaves in /dev/shm when it is killed.
    ::shm_unlink(("/faketime_shm_" + std::to_string(pid_)).c_str());
    ::sem_unlink(("/faketime_sem_" + std::to_string(pid_)).c_str());
    pid_ = -1;
  }

 private:
  std::vector<std::string> words_;
  Environment environment_;
  pid_t pid_ = -1;
};

/// A server on a free port of 127.0.0.1, which keeps nothing.
class RedisServer {
 public:
  /// arguments  more of redis-server's; with a `--tls-port` of their own, `port` should be 0
  explicit RedisServer(std::vector<std::string> arguments = {}, std::uint16_t port = free_port())
      : port_(port), process_(words(std::move(arguments))) {}
  /// Lives by `clock`, which must outlive it.
  explicit RedisServer(const ServerClock& clock, std::vector<std::string> arguments = {},
                       std::uint16_t port = free_port())
      : port_(port), process_(words(std::move(arguments)), clock.environment()) {}

  std::uint16_t port() const noexcept { return port_; }
  void start() { process_.start(); }
  void signal(int number) const noexcept { process_.signal(number); }
  void kill() { process_.kill(); }

 private:
  std::vector<std::string> words(std::vector<std::string> arguments) const {
    std::vector<std::string> words{"redis-server", "--bind", "127.0.0.1", "--save",      "",
                                   "--appendonly", "no",     "--dir",     folder_.path()};
    if (port_ != 0) words.insert(words.end(), {"--port", std::to_string(port_)});
    words.insert(words.end(), arguments.begin(), arguments.end());
    return words;
  }

  TemporaryFolder folder_;
  std::uint16_t port_;
  ServerProcess process_;
};

/// A Sentinel that watches one primary, and is sure after `down_after_ms` that it is down.
class Sentinel {
 public:
  Sentinel(const std::string& name, std::uint16_t primary, int quorum, int down_after_ms)
      : process_({"redis-server", configuration(name, primary, quorum, down_after_ms), "--sentinel"}) {}

  std::uint16_t port() const noexcept { return port_; }
  void kill() { process_.kill(); }

 private:
  std::string configuration(const std::string& name, std::uint16_t primary, int quorum, int down_after_ms) const {
    auto path = folder_.path() + "/sentinel.conf";
    std::ofstream file(path);
    file << "port " << port_ << "\nbind 127.0.0.1\ndir " << folder_.path() << "\nsentinel monitor " << name
         << " 127.0.0.1 " << primary << " " << quorum << "\nsentinel down-after-milliseconds " << name << " "
         << down_after_ms << "\nsentinel failover-timeout " << name << " 1000\n";
    return path;
  }

  TemporaryFolder folder_;
  std::uint16_t port_ = free_port();
  ServerProcess process_;
};

}  // namespace millrace::redis::testing
