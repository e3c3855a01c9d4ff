#pragma once

#include <filesystem>

#include "engine/engine.hpp"
#include "net/http_server.hpp"
#include "server/gateway.hpp"
#include "settings/settings.hpp"
#include "tasks/builtin.hpp"

namespace millrace::app {

/// What the settings say, as options of the parts. Members that join parts to one another are left alone.
engine::EngineOptions engine_options(const settings::Settings& settings);
http::HttpServerOptions http_options(const settings::Settings& settings);
Result<server::GatewayOptions> gateway_options(const settings::Settings& settings);
/// `home` is the folder for what has no folder of its own.
tasks::BuiltinOptions builtin_options(const settings::Settings& settings, const std::filesystem::path& home);
/// The name of workers of this process: the setting, else the host's name.
std::string worker_name(const settings::Settings& settings);

}  // namespace millrace::app
