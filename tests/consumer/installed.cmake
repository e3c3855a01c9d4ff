# Installs BUILD to a temporary prefix, then configures, builds and runs each of CONSUMERS against it.
string(RANDOM LENGTH 12 name)
set(stage /tmp/millrace-consumer-${name})
if(DEFINED ENV{TMPDIR})
  set(stage $ENV{TMPDIR}/millrace-consumer-${name})
endif()

function(run)
  execute_process(COMMAND ${ARGN} WORKING_DIRECTORY ${stage} OUTPUT_VARIABLE said ERROR_VARIABLE said
                  RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    file(REMOVE_RECURSE ${stage})
    message(FATAL_ERROR "${ARGN} ended with ${result}:\n${said}")
  endif()
endfunction()

file(MAKE_DIRECTORY ${stage})
run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${stage}/prefix)
string(REPLACE "," ";" CONSUMERS ${CONSUMERS})
foreach(consumer IN LISTS CONSUMERS)
  get_filename_component(build ${consumer} NAME)
  run(${CMAKE_COMMAND} -S ${consumer} -B ${stage}/${build} -G Ninja -DCMAKE_PREFIX_PATH=${stage}/prefix
      -DCMAKE_CXX_COMPILER=${COMPILER})
  run(${CMAKE_COMMAND} --build ${stage}/${build})
  run(${stage}/${build}/consumer)
endforeach()
file(REMOVE_RECURSE ${stage})
