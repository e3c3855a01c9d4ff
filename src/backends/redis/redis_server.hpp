#pragma once

#include <chrono>
#include <csignal>
#include <cstdint>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <stdlib.h>
#include <string>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
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

/// One process of Debian's redis-server. It dies with the thread that started it.
class ServerProcess {
 public:
  explicit ServerProcess(std::vector<std::string> words) : words_(std::move(words)) { start(); }
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
      ::execvp(argv[0], argv.data());
      ::_exit(127);
    }
  }
  void signal(int number) const noexcept { ::kill(pid_, number); }
  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(std::exchange(pid_, -1), nullptr, 0);
  }

 private:
  std::vector<std::string> words_;
  pid_t pid_ = -1;
};

/// A server on a free port of 127.0.0.1, which keeps nothing.
class RedisServer {
 public:
  /// arguments  more of redis-server's; with a `--tls-port` of their own, `port` should be 0
  explicit RedisServer(std::vector<std::string> arguments = {}, std::uint16_t port = free_port())
      : port_(port), process_(words(std::move(arguments))) {}

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
