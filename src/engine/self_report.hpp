#pragma once

#include <string>

#include "domain/wall_watch.hpp"
#include "engine/engine.hpp"

namespace millrace::engine {

/// A reading of how the engine is.
struct EngineHealth {
  bool open = false;
  std::string failure = {};
  storage::DiskLevel disk = storage::DiskLevel::ample;
  storage::StoreHealth store = {};
  WallWatch wall = {};
  bool torn_tail = false;
};

/// The effective guarantees: what was asked for, and every reason why less holds now.
Guarantees report_guarantees(const EngineOptions& options, const EngineHealth& health);

/// Depths, totals and store sizes, asked at each scrape for as long as the registration lives.
metrics::Registry::Registration add_engine_metrics(metrics::Registry& registry, Broker& broker,
                                                   std::function<EngineHealth()> health);

}  // namespace millrace::engine
