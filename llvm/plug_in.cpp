// The plug-in: primitives in, an object file out, through LLVM's C API. Its only symbol is
// gemel_llvm_plug_in. One source for LLVM 14 (typed pointers) to 19 (opaque ones).
#include "native/plug_in.hpp"

#include <llvm-c/Core.h>
#include <llvm-c/Target.h>
#include <llvm-c/TargetMachine.h>
#include <llvm/Config/llvm-config.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

using gemel::sim::GemelFunction;
using gemel::sim::GemelPlugIn;
using gemel::sim::GemelReply;
using gemel::sim::GemelRequest;
using gemel::sim::Primitive;
using gemel::sim::PrimitiveOp;

template <auto dispose>
struct Dispose {
    template <class T>
    void operator()(T* p) const {
        dispose(p);
    }
};
template <class Ref, auto dispose>
using Owned = std::unique_ptr<std::remove_pointer_t<Ref>, Dispose<dispose>>;
using Context = Owned<LLVMContextRef, LLVMContextDispose>;
using Module = Owned<LLVMModuleRef, LLVMDisposeModule>;
using Builder = Owned<LLVMBuilderRef, LLVMDisposeBuilder>;
using Machine = Owned<LLVMTargetMachineRef, LLVMDisposeTargetMachine>;
using Buffer = Owned<LLVMMemoryBufferRef, LLVMDisposeMemoryBuffer>;

/// The types of a module whose values have `width` lanes.
struct Types {
    Types(LLVMContextRef context, unsigned width) : lanes(width) {
        const auto vector = [&](LLVMTypeRef of) {
            return width == 1 ? of : LLVMVectorType(of, width);
        };
        number = LLVMDoubleTypeInContext(context);
        integer = LLVMInt64TypeInContext(context);
        truth = LLVMInt1TypeInContext(context);
        real = vector(number), bits = vector(integer), mask = vector(truth);
        workspace = LLVMPointerType(number, 0);
    }
    unsigned lanes;
    LLVMTypeRef number, integer, truth; ///< of one lane
    LLVMTypeRef real, bits, mask;       ///< of all
    LLVMTypeRef workspace;
};

/// Writes one function.
class FunctionWriter {
public:
    FunctionWriter(LLVMContextRef context,
                   LLVMModuleRef module,
                   const Types& types,
                   const GemelFunction& function)
        : context_(context),
          module_(module),
          types_(types),
          builder_(LLVMCreateBuilderInContext(context)) {
        LLVMTypeRef parameter = types.workspace;
        const LLVMTypeRef type =
            LLVMFunctionType(LLVMVoidTypeInContext(context), &parameter, 1, /*variadic*/ 0);
        const LLVMValueRef made = LLVMAddFunction(module, function.name, type);
        // Vectors of 512 bits stay whole where the machine has them.
        add_attribute(made, "prefer-vector-width", "512");
        add_attribute(made, "min-legal-vector-width", "512");
        const unsigned nounwind = LLVMGetEnumAttributeKindForName("nounwind", 8);
        LLVMAddAttributeAtIndex(
            made, LLVMAttributeFunctionIndex, LLVMCreateEnumAttribute(context, nounwind, 0));
        workspace_ = LLVMGetParam(made, 0);
        LLVMPositionBuilderAtEnd(builder_.get(), LLVMAppendBasicBlockInContext(context, made, ""));
        values_.reserve(function.n_ops);
        for (std::size_t i = 0; i < function.n_ops; ++i)
            values_.push_back(write(function.ops[i]));
        LLVMBuildRetVoid(builder_.get());
    }

private:
    void add_attribute(LLVMValueRef function, std::string_view name, std::string_view value) {
        LLVMAddAttributeAtIndex(function,
                                LLVMAttributeFunctionIndex,
                                LLVMCreateStringAttribute(context_,
                                                          name.data(),
                                                          static_cast<unsigned>(name.size()),
                                                          value.data(),
                                                          static_cast<unsigned>(value.size())));
    }

    LLVMValueRef splat(LLVMValueRef number) {
        if (types_.lanes == 1) return number;
        std::vector<LLVMValueRef> lanes(types_.lanes, number);
        return LLVMConstVector(lanes.data(), types_.lanes);
    }
    LLVMValueRef bits_constant(std::uint64_t bits) {
        return splat(LLVMConstInt(types_.integer, bits, 0));
    }
    LLVMValueRef real_constant(std::uint64_t bits) {
        double number = 0.0;
        std::memcpy(&number, &bits, sizeof number);
        return number == number ? splat(LLVMConstReal(types_.number, number))
                                : LLVMConstBitCast(bits_constant(bits), types_.real);
    }

    LLVMValueRef address(std::uint64_t slot, LLVMTypeRef type) {
        LLVMValueRef offset = LLVMConstInt(types_.integer, slot * types_.lanes, 0);
        const LLVMValueRef place =
            LLVMBuildGEP2(builder_.get(), types_.number, workspace_, &offset, 1, "");
        return LLVMBuildBitCast(builder_.get(), place, LLVMPointerType(type, 0), "");
    }
    unsigned alignment() const { return types_.lanes == 1 ? 8 : 64; }
    LLVMValueRef load(std::uint64_t slot, LLVMTypeRef type) {
        const LLVMValueRef made = LLVMBuildLoad2(builder_.get(), type, address(slot, type), "");
        LLVMSetAlignment(made, alignment());
        return made;
    }
    LLVMValueRef store(std::uint64_t slot, LLVMTypeRef type, LLVMValueRef value) {
        const LLVMValueRef made = LLVMBuildStore(builder_.get(), value, address(slot, type));
        LLVMSetAlignment(made, alignment());
        return made;
    }

    LLVMValueRef call(std::string_view intrinsic, std::vector<LLVMValueRef> arguments) {
        const unsigned id = LLVMLookupIntrinsicID(intrinsic.data(), intrinsic.size());
        LLVMTypeRef of = types_.real;
        return LLVMBuildCall2(builder_.get(),
                              LLVMIntrinsicGetType(context_, id, &of, 1),
                              LLVMGetIntrinsicDeclaration(module_, id, &of, 1),
                              arguments.data(),
                              static_cast<unsigned>(arguments.size()),
                              "");
    }
    LLVMValueRef compare(LLVMRealPredicate how, const PrimitiveOp& op) {
        return LLVMBuildFCmp(builder_.get(), how, values_[op.a], values_[op.b], "");
    }

    LLVMValueRef write(const PrimitiveOp& op) {
        const LLVMBuilderRef to = builder_.get();
        const auto a = [&] { return values_[op.a]; };
        const auto b = [&] { return values_[op.b]; };
        const auto c = [&] { return values_[op.c]; };
        switch (op.op) {
        case Primitive::real_constant:
            return real_constant(op.bits);
        case Primitive::bits_constant:
            return bits_constant(op.bits);
        case Primitive::mask_constant:
            return splat(LLVMConstInt(types_.truth, op.bits, 0));
        case Primitive::load:
            return load(op.bits, types_.real);
        case Primitive::load_bits:
            return load(op.bits, types_.bits);
        case Primitive::store:
            return store(op.bits, types_.real, a());
        case Primitive::store_bits:
            return store(op.bits, types_.bits, a());
        case Primitive::add:
            return LLVMBuildFAdd(to, a(), b(), "");
        case Primitive::subtract:
            return LLVMBuildFSub(to, a(), b(), "");
        case Primitive::multiply:
            return LLVMBuildFMul(to, a(), b(), "");
        case Primitive::divide:
            return LLVMBuildFDiv(to, a(), b(), "");
        case Primitive::negate:
            return LLVMBuildFNeg(to, a(), "");
        case Primitive::fma:
            return call("llvm.fma", {a(), b(), c()});
        case Primitive::square_root:
            return call("llvm.sqrt", {a()});
        case Primitive::less:
            return compare(LLVMRealOLT, op);
        case Primitive::less_equal:
            return compare(LLVMRealOLE, op);
        case Primitive::equal:
            return compare(LLVMRealOEQ, op);
        case Primitive::mask_and:
        case Primitive::bits_and:
            return LLVMBuildAnd(to, a(), b(), "");
        case Primitive::mask_or:
        case Primitive::bits_or:
            return LLVMBuildOr(to, a(), b(), "");
        case Primitive::mask_not:
            return LLVMBuildNot(to, a(), "");
        case Primitive::select:
            return LLVMBuildSelect(to, a(), b(), c(), "");
        case Primitive::bits_of:
            return LLVMBuildBitCast(to, a(), types_.bits, "");
        case Primitive::real_of:
            return LLVMBuildBitCast(to, a(), types_.real, "");
        case Primitive::bits_xor:
            return LLVMBuildXor(to, a(), b(), "");
        case Primitive::bits_add:
            return LLVMBuildAdd(to, a(), b(), "");
        case Primitive::bits_subtract:
            return LLVMBuildSub(to, a(), b(), "");
        case Primitive::bits_shift_left:
            return LLVMBuildShl(to, a(), bits_constant(op.bits), "");
        case Primitive::bits_shift_right:
            return LLVMBuildLShr(to, a(), bits_constant(op.bits), "");
        case Primitive::bits_equal:
            return LLVMBuildICmp(to, LLVMIntEQ, a(), b(), "");
        case Primitive::mask_to_bits:
            return LLVMBuildSExt(to, a(), types_.bits, "");
        }
        return nullptr;
    }

    LLVMContextRef context_;
    LLVMModuleRef module_;
    const Types& types_;
    Builder builder_;
    LLVMValueRef workspace_ = nullptr;
    std::vector<LLVMValueRef> values_;
};

/// The targets that code is made for, as far as this LLVM has them.
void initialise_targets() {
    static const bool once = [] {
        LLVMInitializeAllTargetInfos();
        LLVMInitializeAllTargets();
        LLVMInitializeAllTargetMCs();
        LLVMInitializeAllAsmPrinters();
        return true;
    }();
    (void)once;
}

Machine machine_for(const GemelRequest& request, std::string& error) {
    initialise_targets();
    LLVMTargetRef target = nullptr;
    char* message = nullptr;
    if (LLVMGetTargetFromTriple(request.triple, &target, &message) != 0) {
        error = message;
        LLVMDisposeMessage(message);
        return nullptr;
    }
    return Machine(LLVMCreateTargetMachine(target,
                                           request.triple,
                                           request.cpu,
                                           request.features,
                                           static_cast<LLVMCodeGenOptLevel>(request.level),
                                           LLVMRelocPIC,
                                           LLVMCodeModelSmall));
}

Buffer object_of(const GemelRequest& request, std::string& error) {
    const Machine machine = machine_for(request, error);
    if (!error.empty()) return nullptr;
    const Context context(LLVMContextCreate());
    const Module module(LLVMModuleCreateWithNameInContext("gemel", context.get()));
    LLVMSetTarget(module.get(), request.triple);
    const LLVMTargetDataRef layout = LLVMCreateTargetDataLayout(machine.get());
    LLVMSetModuleDataLayout(module.get(), layout);
    LLVMDisposeTargetData(layout);
    const Types types(context.get(), request.width);
    for (std::size_t i = 0; i < request.n_functions; ++i)
        FunctionWriter(context.get(), module.get(), types, request.functions[i]);
    char* message = nullptr;
    LLVMMemoryBufferRef object = nullptr;
    if (LLVMTargetMachineEmitToMemoryBuffer(
            machine.get(), module.get(), LLVMObjectFile, &message, &object) != 0) {
        error = message;
        LLVMDisposeMessage(message);
    }
    return Buffer(object);
}

unsigned char* copied(const void* from, std::size_t size) {
    auto* copy = static_cast<unsigned char*>(std::malloc(size));
    if (copy != nullptr) std::memcpy(copy, from, size);
    return copy;
}

void emit(const GemelRequest* request, GemelReply* reply) {
    *reply = {nullptr, 0, nullptr};
    std::string error;
    const Buffer object = object_of(*request, error);
    if (error.empty() && object != nullptr) {
        reply->size = LLVMGetBufferSize(object.get());
        reply->object = copied(LLVMGetBufferStart(object.get()), reply->size);
    }
    if (reply->object != nullptr) return;
    if (error.empty()) error = "no object";
    reply->error = reinterpret_cast<char*>(copied(error.c_str(), error.size() + 1));
}

void free_reply(GemelReply* reply) {
    std::free(reply->object);
    std::free(reply->error);
    *reply = {nullptr, 0, nullptr};
}

constexpr GemelPlugIn plug_in{gemel::sim::plug_in_interface, LLVM_VERSION_STRING, emit, free_reply};

} // namespace

extern "C" [[gnu::visibility("default")]] const GemelPlugIn* gemel_llvm_plug_in() {
    return &plug_in;
}
