#include "solve/sundials.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <new>
#include <stdexcept>

namespace gemel::sim {
namespace {

void say_nothing(int, const char*, const char*, char*, void*) {}

template <class T>
T* allocated(T* object) {
    if (object == nullptr) throw std::bad_alloc();
    return object;
}

} // namespace

SunContext::SunContext() {
    require(SUNContext_Create(nullptr, &context_), "SUNContext_Create");
}

SunContext::~SunContext() {
    SUNContext_Free(&context_);
}

SunVector sun_vector(const SunContext& context, int size) {
    SunVector vector(allocated(N_VNew_Serial(std::max(size, 1), context.get())));
    N_VConst(0.0, vector.get());
    return vector;
}

CvodeMemory cvode_bdf(const SunContext& context) {
    CvodeMemory memory(allocated(CVodeCreate(CV_BDF, context.get())));
    require(CVodeSetErrHandlerFn(memory.get(), say_nothing, nullptr), "CVodeSetErrHandlerFn");
    return memory;
}

void require(int code, const char* function) {
    if (code < 0) throw std::runtime_error(fmt::format("{} of SUNDIALS gave {}", function, code));
}

} // namespace gemel::sim
