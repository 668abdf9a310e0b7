// RUN: stepwell opt %s -p 'check-level{level=gpu}' --split-input-file --verify-diagnostics | filecheck %s

// CHECK: gpu.func @keeps
gpu.module @m {
  gpu.func @keeps(%m: memref<?xf32, #gpu.address_space<global>>, %v: f32) kernel {
    %i = gpu.thread_id x
    memref.store %v, %m[%i] : memref<?xf32, #gpu.address_space<global>>
    gpu.return
  }
}

// -----

gpu.module @m {
  // expected-error @below {{memref<?xf32> has no address space}}
  gpu.func @bare(%m: memref<?xf32>, %v: f32, %p: i1) kernel {
    // expected-error @below {{simt.if: this op does not exist at level gpu}}
    simt.if %p {
      // expected-error @below {{simt.yield: this op does not exist at level gpu}}
      simt.yield
    }
    gpu.return
  }
}

// -----

// expected-error @below {{type f80 does not exist at level gpu}}
func.func @type(%a: f80) {
  func.return
}

// -----

gpu.module @m {
  gpu.func @of_cpus(%m: memref<?xf32, #gpu.address_space<global>>) kernel {
    %i = gpu.thread_id x
    // expected-error @below {{gpux.prefetch: only level cpu has it}}
    gpux.prefetch %m[%i] : memref<?xf32, #gpu.address_space<global>>
    gpu.return
  }
}
