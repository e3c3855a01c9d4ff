#pragma once

#include <memory>
#include <optional>
#include <string>

#include <millrace/connect.hpp>

#include "engine/engine.hpp"
#include "home_directory.hpp"
#include "observe/metrics.hpp"
#include "settings/settings.hpp"

namespace millrace::app {

/// The broker that `serve` serves.
struct ServingBroker {
  std::optional<BrokerHandle> handle = {};  // of a broker elsewhere, which closes with it
  std::shared_ptr<Broker> broker = {};
  std::shared_ptr<engine::Engine> engine = {};  // the same one, if it lives in this process
  HomeDirectory home = {};                      // for sockets, files and the outbox
  std::string data = {};                        // where tasks are kept, for people
};

/// Opens the broker that the settings name. An engine of ours tells `registry` what it measures, and the log when its
/// store fails. Errors: as `open_engine` and `BrokerHandle::open`.
Result<ServingBroker> open_serving_broker(const settings::Settings& settings, metrics::Registry& registry);

}  // namespace millrace::app
