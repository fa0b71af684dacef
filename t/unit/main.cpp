// The unit tests' main.  Every other file here adds cases: one file a module, included nowhere.
#define BOOST_TEST_MODULE dig
#include <boost/test/unit_test.hpp>
