# Given as -DCMAKE_PROJECT_INCLUDE by setup.py.
# The exported targets of the message wheels name include directories of the machine that built them (/opt/python/...).
# CMake refuses a target whose include directory does not exist, so once every package is found these are dropped.
function(drop_include_directories_of_the_wheel_builder)
  get_property(targets DIRECTORY "${CMAKE_SOURCE_DIR}" PROPERTY IMPORTED_TARGETS)
  foreach(target IN LISTS targets)
    get_target_property(directories ${target} INTERFACE_INCLUDE_DIRECTORIES)
    if(directories)
      set(kept "")
      foreach(directory IN LISTS directories)
        if(NOT directory MATCHES "^/opt/python/" OR EXISTS "${directory}")
          list(APPEND kept "${directory}")
        endif()
      endforeach()
      set_target_properties(${target} PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${kept}")
    endif()
  endforeach()
endfunction()
cmake_language(DEFER DIRECTORY "${CMAKE_SOURCE_DIR}" CALL drop_include_directories_of_the_wheel_builder)
