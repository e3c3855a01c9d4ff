# What is installed: the binary, the public headers, and one shared library per component with its dependencies inside.
#
#   find_package(millrace REQUIRED COMPONENTS client)     target_link_libraries(app PRIVATE millrace::client)
#
# A component holds all of our folders it needs, so a program links one of them: `embedded` can do what `client` can, and
# `testing` what `embedded` can. Only the names of namespace millrace are visible; Boost and RocksDB are not.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# All folders that NAMES reach along the DEPENDS arrows, themselves included.
function(millrace_reach result)
  get_property(arrows GLOBAL PROPERTY MILLRACE_ARROWS)
  set(reached)
  set(open ${ARGN})
  while(open)
    list(POP_FRONT open name)
    if(NOT name IN_LIST reached AND TARGET millrace_${name})
      list(APPEND reached ${name})
      foreach(arrow IN LISTS arrows)
        if(arrow MATCHES "^millrace_${name}\\|[A-Z]+\\|(.*)$")
          list(APPEND open ${CMAKE_MATCH_1})
        endif()
      endforeach()
    endif()
  endwhile()
  set(${result} ${reached} PARENT_SCOPE)
endfunction()

function(millrace_component component)
  millrace_reach(folders ${ARGN})
  set(archives)
  set(files)
  foreach(folder IN LISTS folders)
    get_target_property(type millrace_${folder} TYPE)
    if(type STREQUAL STATIC_LIBRARY)
      list(APPEND archives millrace_${folder})
      list(APPEND files $<TARGET_FILE:millrace_${folder}>)
    endif()
  endforeach()
  list(JOIN files "," files)
  set(target millrace_${component}_component)
  add_library(${target} SHARED ${PROJECT_SOURCE_DIR}/cmake/component.cpp)
  # Whole archives first, in an option, since CMake may name an archive twice among the libraries; then what they need.
  target_link_options(${target} PRIVATE LINKER:--whole-archive,${files},--no-whole-archive
                      LINKER:--version-script=${PROJECT_SOURCE_DIR}/cmake/component.map LINKER:--no-undefined)
  target_link_libraries(${target} PRIVATE ${archives})
  target_include_directories(${target} INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_compile_features(${target} INTERFACE cxx_std_20)
  set_target_properties(${target} PROPERTIES
    OUTPUT_NAME millrace_${component} EXPORT_NAME ${component} VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}
    LINK_DEPENDS ${PROJECT_SOURCE_DIR}/cmake/component.map)
  install(TARGETS ${target} EXPORT millrace-${component} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(EXPORT millrace-${component} FILE millrace-${component}.cmake NAMESPACE millrace::
          DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/millrace)
endfunction()

if(TARGET millrace_component_client)
  millrace_component(client sdk component_client)
  millrace_component(embedded sdk component_client component_embedded)
  if(TARGET millrace_testing)
    millrace_component(testing sdk component_client component_embedded testing)
  endif()
  install(DIRECTORY include/millrace DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN *.hpp)
  configure_package_config_file(cmake/millrace-config.cmake.in millrace-config.cmake
                                INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/millrace)
  write_basic_package_version_file(millrace-config-version.cmake COMPATIBILITY SameMinorVersion)
  install(FILES ${PROJECT_BINARY_DIR}/millrace-config.cmake ${PROJECT_BINARY_DIR}/millrace-config-version.cmake
          DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/millrace)
endif()

if(TARGET millrace)
  install(TARGETS millrace RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES packaging/millrace.service DESTINATION lib/systemd/system)
