# The words our CMakeLists.txt files are written in. The DEPENDS line of a folder is the architecture.
#
#   millrace_library(NAME DEPENDS domain codec PUBLIC_LIBS Boost::json PRIVATE_LIBS RocksDB::rocksdb TEST_DEPENDS testing)
#     millrace_NAME (alias millrace::NAME) from the folder's *.cpp; an interface library when there is none.
#     NAME_test       from *_test.cpp, one GoogleTest binary; TEST_DEPENDS and TEST_LIBS are for it alone
#     NAME_link_test  the whole archive with an empty main: a forgotten dependency does not link
#     STEM            one fuzzer for each STEM_fuzz.cpp, when MILLRACE_FUZZ is on
#
#   millrace_test(NAME DEPENDS engine testing LIBS … LABELS slow TIMEOUT 300)
#     a GoogleTest binary NAME from the folder's *.cpp, for tests/
#
# DEPENDS names our own folders without prefix. Folders may be added in any order.

# Builds from nothing join the sources of a target, up to twelve in a unit (CMAKE_UNITY_BUILD in CMakePresets.json): two
# thirds of the time for a release, one third for sanitizers and clang-tidy. These stay apart, since names of their unnamed namespaces are also in those of others.
set(MILLRACE_APART
  apps/millrace/complain.cpp apps/millrace/completion.cpp apps/millrace/front.cpp
  src/backends/remote/submit.cpp src/base/error.cpp src/codec/json_work_test.cpp src/codec/time_text.cpp src/codec/time_text_test.cpp
  src/codec/token_sealer.cpp src/domain/validation_test.cpp src/engine/events.cpp src/engine/state_residency_test.cpp
  src/net/client_connection.cpp src/net/refusal_test.cpp src/net/tls_test.cpp src/settings/resolve.cpp src/settings/setting_table.cpp src/settings/value.cpp
  src/tasks/allowed_host.cpp src/tasks/web_request.cpp)

function(millrace_keep_apart)
  foreach(source IN LISTS ARGN)
    cmake_path(RELATIVE_PATH source BASE_DIRECTORY ${PROJECT_SOURCE_DIR} OUTPUT_VARIABLE name)
    if(name IN_LIST MILLRACE_APART)
      set_source_files_properties(${source} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
    endif()
  endforeach()
endfunction()

function(millrace_library name)
  cmake_parse_arguments(arg "" "" "DEPENDS;PUBLIC_LIBS;PRIVATE_LIBS;TEST_DEPENDS;TEST_LIBS" ${ARGN})
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "millrace_library(${name}): unknown words ${arg_UNPARSED_ARGUMENTS}")
  endif()
  file(GLOB sources CONFIGURE_DEPENDS *.cpp)
  file(GLOB headers CONFIGURE_DEPENDS *.hpp)
  millrace_keep_apart(${sources})
  set(tests ${sources})
  set(fuzzers ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  list(FILTER fuzzers INCLUDE REGEX "_fuzz\\.cpp$")
  list(FILTER sources EXCLUDE REGEX "_(test|fuzz)\\.cpp$")

  set(target millrace_${name})
  if(sources)
    add_library(${target} STATIC ${sources})
    set(scope PUBLIC)
    millrace_precompile(${target} library)
  else()
    add_library(${target} INTERFACE)
    set(scope INTERFACE)
  endif()
  add_library(millrace::${name} ALIAS ${target})
  target_sources(${target} ${scope} FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}/src FILES ${headers})
  target_include_directories(${target} ${scope} $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src>)
  target_link_libraries(${target} ${scope} millrace::api Threads::Threads ${arg_PUBLIC_LIBS})
  if(arg_PRIVATE_LIBS AND sources)
    target_link_libraries(${target} PRIVATE ${arg_PRIVATE_LIBS})
  elseif(arg_PRIVATE_LIBS)
    target_link_libraries(${target} INTERFACE ${arg_PRIVATE_LIBS})
  endif()
  millrace_depends(${target} ${scope} ${arg_DEPENDS})
  set_target_properties(${target} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ${MILLRACE_VERIFY_HEADERS})

  if(MILLRACE_TESTS)
    if(tests)
      millrace_gtest(${name}_test SOURCES ${tests} LIBS ${target} ${arg_PRIVATE_LIBS} ${arg_TEST_LIBS} DEPENDS ${arg_TEST_DEPENDS})
    endif()
    if(sources)
      add_executable(${name}_link_test ${PROJECT_SOURCE_DIR}/cmake/empty_main.cpp)
      target_link_libraries(${name}_link_test PRIVATE $<LINK_LIBRARY:WHOLE_ARCHIVE,${target}>)
      add_test(NAME ${name}_link_test COMMAND ${name}_link_test)
    endif()
  endif()
  if(MILLRACE_FUZZ)
    foreach(source IN LISTS fuzzers)
      get_filename_component(stem ${source} NAME_WE)
      add_executable(${stem} ${source})
      target_link_libraries(${stem} PRIVATE ${target} ${arg_PRIVATE_LIBS})
      target_link_options(${stem} PRIVATE -fsanitize=fuzzer)
      set_property(GLOBAL APPEND PROPERTY MILLRACE_FUZZERS ${stem})
      set_target_properties(${stem} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/fuzz)
    endforeach()
  endif()
endfunction()

function(millrace_test name)
  cmake_parse_arguments(arg "" "TIMEOUT" "DEPENDS;LIBS;LABELS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS *.cpp)
  millrace_keep_apart(${sources})
  millrace_gtest(${name} SOURCES ${sources} LIBS ${arg_LIBS} DEPENDS ${arg_DEPENDS} LABELS ${arg_LABELS} TIMEOUT ${arg_TIMEOUT})
endfunction()

# What tests drive is optimised as it is shipped, or as its sanitizer needs it; the tests themselves need not be, and half of
# a build is theirs. Clang is slow with sanitizers at -O1; under the thread sanitizer tests at -O0 are.
set(millrace_test_options $<IF:$<CXX_COMPILER_ID:Clang>,-O0,-O1>)

# One GoogleTest binary; each of its tests is one test of ctest, found when ctest starts.
function(millrace_gtest name)
  cmake_parse_arguments(arg "" "TIMEOUT" "SOURCES;LIBS;DEPENDS;LABELS" ${ARGN})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  add_executable(${name} ${arg_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE millrace::api ${arg_LIBS} GTest::gmock GTest::gtest_main)
  target_compile_options(${name} PRIVATE ${millrace_test_options})
  millrace_depends(${name} PRIVATE ${arg_DEPENDS})
  millrace_precompile(${name} test)
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
                       PROPERTIES TIMEOUT ${arg_TIMEOUT} LABELS "${arg_LABELS}")
endfunction()

# Precompiled headers, shared by all targets of a KIND: library (position independent) or test (with GoogleTest).
function(millrace_precompile target kind)
  if(MILLRACE_PCH)
    target_precompile_headers(${target} REUSE_FROM millrace_${kind}_pch)
  endif()
endfunction()

function(millrace_make_precompiled_headers)
  if(NOT MILLRACE_PCH)
    return()
  endif()
  add_library(millrace_library_pch STATIC ${PROJECT_SOURCE_DIR}/cmake/empty_main.cpp)
  target_link_libraries(millrace_library_pch PRIVATE Threads::Threads)
  target_precompile_headers(millrace_library_pch PRIVATE ${PROJECT_SOURCE_DIR}/cmake/precompiled.hpp)
  if(MILLRACE_TESTS)
    add_executable(millrace_test_pch ${PROJECT_SOURCE_DIR}/cmake/empty_main.cpp)
    target_link_libraries(millrace_test_pch PRIVATE Threads::Threads GTest::gmock GTest::gtest_main)
    target_compile_options(millrace_test_pch PRIVATE ${millrace_test_options})
    target_precompile_headers(millrace_test_pch PRIVATE ${PROJECT_SOURCE_DIR}/cmake/precompiled_test.hpp)
  endif()
endfunction()

# Arrows are drawn after every folder was read, so that folders can come in any order.
function(millrace_depends target scope)
  foreach(name IN LISTS ARGN)
    set_property(GLOBAL APPEND PROPERTY MILLRACE_ARROWS "${target}|${scope}|${name}")
  endforeach()
endfunction()

function(millrace_link_everything)
  get_property(arrows GLOBAL PROPERTY MILLRACE_ARROWS)
  foreach(arrow IN LISTS arrows)
    string(REPLACE "|" ";" arrow ${arrow})
    list(GET arrow 0 target)
    list(GET arrow 1 scope)
    list(GET arrow 2 name)
    if(TARGET millrace_${name})
      target_link_libraries(${target} ${scope} millrace::${name})
    else()
      message(FATAL_ERROR "${target} DEPENDS ${name}, which no folder defines")
    endif()
  endforeach()
endfunction()

# Adds ROOT itself if it has a CMakeLists.txt, else each folder below it that has one, two levels deep.
function(millrace_add_folders root)
  if(EXISTS ${PROJECT_SOURCE_DIR}/${root}/CMakeLists.txt)
    add_subdirectory(${root})
    return()
  endif()
  file(GLOB lists CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR} ${root}/*/CMakeLists.txt ${root}/*/*/CMakeLists.txt)
  list(SORT lists)
  set(added)
  foreach(list IN LISTS lists)
    get_filename_component(folder ${list} DIRECTORY)
    get_filename_component(parent ${folder} DIRECTORY)
    if(NOT parent IN_LIST added)
      add_subdirectory(${folder})
      list(APPEND added ${folder})
    endif()
  endforeach()
endfunction()
