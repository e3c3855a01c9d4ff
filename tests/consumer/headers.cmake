# Every public header but asio.hpp, compiled by COMPILER, includes only itself and the system's standard library.
file(GLOB headers ${INCLUDE}/millrace/*.hpp)
list(FILTER headers EXCLUDE REGEX "/asio\\.hpp$")
foreach(header IN LISTS headers)
  execute_process(COMMAND ${COMPILER} -std=c++20 -M -x c++ -I${INCLUDE} ${header}
                  OUTPUT_VARIABLE files ERROR_VARIABLE problem RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "${header} does not compile alone: ${problem}")
  endif()
  if(files MATCHES "[^ ]*/(boost|rocksdb|openssl|nlohmann|asio)/[^ ]*")
    message(FATAL_ERROR "${header} includes ${CMAKE_MATCH_0}")
  endif()
endforeach()
