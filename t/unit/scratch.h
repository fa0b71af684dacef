// A directory for one test, removed with all in it.
#ifndef DIG_UNIT_SCRATCH_H
#define DIG_UNIT_SCRATCH_H

#include <cstdlib>
#include <filesystem>
#include <string>

#include <boost/test/unit_test.hpp>

struct Scratch {
	std::string path;

	Scratch()
	{
		std::string name = (std::filesystem::temp_directory_path() / "dig-unit.XXXXXX").string();
		BOOST_REQUIRE(::mkdtemp(name.data()));
		path = name;
	}
	~Scratch() { std::filesystem::remove_all(path); }
	Scratch(const Scratch &) = delete;
};

#endif
