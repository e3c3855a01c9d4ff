# Third-party libraries, all of them Debian 12 packages.

find_package(Threads REQUIRED)
# Debian's default Boost is 1.74; ours is named.
find_package(Boost 1.81.0 EXACT REQUIRED COMPONENTS json CONFIG)
find_package(OpenSSL 3 REQUIRED)
find_package(CURL REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
find_package(tomlplusplus REQUIRED)

# millrace_imported(TARGET LIBRARY HEADER): for packages whose own CMake files ask for more than we link.
function(millrace_imported target library header)
  string(MAKE_C_IDENTIFIER ${target} id)
  find_library(${id}_LIBRARY ${library} REQUIRED)
  find_path(${id}_INCLUDE ${header} REQUIRED)
  mark_as_advanced(${id}_LIBRARY ${id}_INCLUDE)
  add_library(${target} UNKNOWN IMPORTED GLOBAL)
  set_target_properties(${target} PROPERTIES IMPORTED_LOCATION ${${id}_LIBRARY}
                                             INTERFACE_INCLUDE_DIRECTORIES ${${id}_INCLUDE})
endfunction()
millrace_imported(RocksDB::rocksdb rocksdb rocksdb/db.h)
millrace_imported(jemalloc::jemalloc jemalloc jemalloc/jemalloc.h)
millrace_imported(prometheus-cpp::core prometheus-cpp-core prometheus/registry.h)

# Optional back ends: their folders ask with if(TARGET …).
find_library(MILLRACE_HIREDIS hiredis)
if(MILLRACE_HIREDIS)
  millrace_imported(hiredis::hiredis hiredis hiredis/hiredis.h)
endif()
find_library(MILLRACE_RABBITMQ rabbitmq)
if(MILLRACE_RABBITMQ)
  millrace_imported(rabbitmq::rabbitmq rabbitmq amqp.h)
endif()

if(MILLRACE_TESTS)
  find_package(GTest REQUIRED)
  include(GoogleTest)
endif()
if(MILLRACE_BENCH)
  find_package(benchmark)
  set(MILLRACE_BENCH ${benchmark_FOUND})
endif()

# Asio and Beast, compiled once, for folders that ask.
add_library(millrace_asio STATIC EXCLUDE_FROM_ALL cmake/asio/asio.cpp cmake/asio/asio_ssl.cpp cmake/asio/beast.cpp)
add_library(millrace::asio ALIAS millrace_asio)
target_link_libraries(millrace_asio PUBLIC Boost::headers OpenSSL::SSL OpenSSL::Crypto Threads::Threads)
