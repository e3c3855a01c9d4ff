// A component is made of archives alone; CMake asks for one source.
