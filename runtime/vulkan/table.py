"""What we use of Vulkan, as facts: structures, functions, constants; `api.py` makes them callable.

A row of STRUCTURES is the name without Vk, its VkStructureType where it has one (`sType` and
`pNext` are then its first fields), and the fields as `name:code`. A row of FUNCTIONS is the name,
the code of the result and those of the parameters:

    u i   32 bits        U I  64 bits      f  float     z  size_t      b c  a byte, a character
    s     a C string     p    a pointer or dispatchable handle (other handles are U)
    r     VkResult       v    nothing      =Name  a structure in place     *n  an array of n

`tests/test_vulkan_api.py` holds the rows against Khronos' registry.
"""

STRUCTURES = """
ApplicationInfo 0: pApplicationName:s applicationVersion:u pEngineName:s engineVersion:u
  apiVersion:u
InstanceCreateInfo 1: flags:u pApplicationInfo:p enabledLayerCount:u ppEnabledLayerNames:p
  enabledExtensionCount:u ppEnabledExtensionNames:p
DebugUtilsMessengerCreateInfoEXT 1000128004: flags:u messageSeverity:u messageType:u
  pfnUserCallback:p pUserData:p
ValidationFeaturesEXT 1000247000: enabledValidationFeatureCount:u pEnabledValidationFeatures:p
  disabledValidationFeatureCount:u pDisabledValidationFeatures:p
LayerSettingEXT: pLayerName:s pSettingName:s type:u valueCount:u pValues:p
LayerSettingsCreateInfoEXT 1000496000: settingCount:u pSettings:p
ExtensionProperties: extensionName:c*256 specVersion:u
LayerProperties: layerName:c*256 specVersion:u implementationVersion:u description:c*256
DebugUtilsMessengerCallbackDataEXT 1000128003: flags:u pMessageIdName:s messageIdNumber:i
  pMessage:s queueLabelCount:u pQueueLabels:p cmdBufLabelCount:u pCmdBufLabels:p objectCount:u
  pObjects:p
PhysicalDeviceLimits: maxImageDimension1D:u maxImageDimension2D:u maxImageDimension3D:u
  maxImageDimensionCube:u maxImageArrayLayers:u maxTexelBufferElements:u maxUniformBufferRange:u
  maxStorageBufferRange:u maxPushConstantsSize:u maxMemoryAllocationCount:u
  maxSamplerAllocationCount:u bufferImageGranularity:U sparseAddressSpaceSize:U
  maxBoundDescriptorSets:u maxPerStageDescriptorSamplers:u maxPerStageDescriptorUniformBuffers:u
  maxPerStageDescriptorStorageBuffers:u maxPerStageDescriptorSampledImages:u
  maxPerStageDescriptorStorageImages:u maxPerStageDescriptorInputAttachments:u
  maxPerStageResources:u maxDescriptorSetSamplers:u maxDescriptorSetUniformBuffers:u
  maxDescriptorSetUniformBuffersDynamic:u maxDescriptorSetStorageBuffers:u
  maxDescriptorSetStorageBuffersDynamic:u maxDescriptorSetSampledImages:u
  maxDescriptorSetStorageImages:u maxDescriptorSetInputAttachments:u maxVertexInputAttributes:u
  maxVertexInputBindings:u maxVertexInputAttributeOffset:u maxVertexInputBindingStride:u
  maxVertexOutputComponents:u maxTessellationGenerationLevel:u maxTessellationPatchSize:u
  maxTessellationControlPerVertexInputComponents:u
  maxTessellationControlPerVertexOutputComponents:u
  maxTessellationControlPerPatchOutputComponents:u maxTessellationControlTotalOutputComponents:u
  maxTessellationEvaluationInputComponents:u maxTessellationEvaluationOutputComponents:u
  maxGeometryShaderInvocations:u maxGeometryInputComponents:u maxGeometryOutputComponents:u
  maxGeometryOutputVertices:u maxGeometryTotalOutputComponents:u maxFragmentInputComponents:u
  maxFragmentOutputAttachments:u maxFragmentDualSrcAttachments:u
  maxFragmentCombinedOutputResources:u maxComputeSharedMemorySize:u maxComputeWorkGroupCount:u*3
  maxComputeWorkGroupInvocations:u maxComputeWorkGroupSize:u*3 subPixelPrecisionBits:u
  subTexelPrecisionBits:u mipmapPrecisionBits:u maxDrawIndexedIndexValue:u maxDrawIndirectCount:u
  maxSamplerLodBias:f maxSamplerAnisotropy:f maxViewports:u maxViewportDimensions:u*2
  viewportBoundsRange:f*2 viewportSubPixelBits:u minMemoryMapAlignment:z
  minTexelBufferOffsetAlignment:U minUniformBufferOffsetAlignment:U
  minStorageBufferOffsetAlignment:U minTexelOffset:i maxTexelOffset:u minTexelGatherOffset:i
  maxTexelGatherOffset:u minInterpolationOffset:f maxInterpolationOffset:f
  subPixelInterpolationOffsetBits:u maxFramebufferWidth:u maxFramebufferHeight:u
  maxFramebufferLayers:u framebufferColorSampleCounts:u framebufferDepthSampleCounts:u
  framebufferStencilSampleCounts:u framebufferNoAttachmentsSampleCounts:u maxColorAttachments:u
  sampledImageColorSampleCounts:u sampledImageIntegerSampleCounts:u
  sampledImageDepthSampleCounts:u sampledImageStencilSampleCounts:u storageImageSampleCounts:u
  maxSampleMaskWords:u timestampComputeAndGraphics:u timestampPeriod:f maxClipDistances:u
  maxCullDistances:u maxCombinedClipAndCullDistances:u discreteQueuePriorities:u
  pointSizeRange:f*2 lineWidthRange:f*2 pointSizeGranularity:f lineWidthGranularity:f
  strictLines:u standardSampleLocations:u optimalBufferCopyOffsetAlignment:U
  optimalBufferCopyRowPitchAlignment:U nonCoherentAtomSize:U
PhysicalDeviceSparseProperties: residencyStandard2DBlockShape:u
  residencyStandard2DMultisampleBlockShape:u residencyStandard3DBlockShape:u
  residencyAlignedMipSize:u residencyNonResidentStrict:u
PhysicalDeviceProperties: apiVersion:u driverVersion:u vendorID:u deviceID:u deviceType:u
  deviceName:c*256 pipelineCacheUUID:b*16 limits:=PhysicalDeviceLimits
  sparseProperties:=PhysicalDeviceSparseProperties
PhysicalDeviceProperties2 1000059001: properties:=PhysicalDeviceProperties
PhysicalDeviceIDProperties 1000071004: deviceUUID:b*16 driverUUID:b*16 deviceLUID:b*8
  deviceNodeMask:u deviceLUIDValid:u
ConformanceVersion: major:b minor:b subminor:b patch:b
PhysicalDeviceDriverProperties 1000196000: driverID:u driverName:c*256 driverInfo:c*256
  conformanceVersion:=ConformanceVersion
PhysicalDeviceSubgroupProperties 1000094000: subgroupSize:u supportedStages:u
  supportedOperations:u quadOperationsInAllStages:u
PhysicalDeviceMaintenance3Properties 1000168000: maxPerSetDescriptors:u maxMemoryAllocationSize:U
PhysicalDeviceFloatControlsProperties 1000197000: denormBehaviorIndependence:u
  roundingModeIndependence:u shaderSignedZeroInfNanPreserveFloat16:u
  shaderSignedZeroInfNanPreserveFloat32:u shaderSignedZeroInfNanPreserveFloat64:u
  shaderDenormPreserveFloat16:u shaderDenormPreserveFloat32:u shaderDenormPreserveFloat64:u
  shaderDenormFlushToZeroFloat16:u shaderDenormFlushToZeroFloat32:u
  shaderDenormFlushToZeroFloat64:u shaderRoundingModeRTEFloat16:u shaderRoundingModeRTEFloat32:u
  shaderRoundingModeRTEFloat64:u shaderRoundingModeRTZFloat16:u shaderRoundingModeRTZFloat32:u
  shaderRoundingModeRTZFloat64:u
PhysicalDeviceSubgroupSizeControlProperties 1000225000: minSubgroupSize:u maxSubgroupSize:u
  maxComputeWorkgroupSubgroups:u requiredSubgroupSizeStages:u
PhysicalDeviceExternalMemoryHostPropertiesEXT 1000178002: minImportedHostPointerAlignment:U
PhysicalDeviceCooperativeMatrixFeaturesKHR 1000506000: cooperativeMatrix:u
  cooperativeMatrixRobustBufferAccess:u
PhysicalDeviceCooperativeMatrixPropertiesKHR 1000506002: cooperativeMatrixSupportedStages:u
CooperativeMatrixPropertiesKHR 1000506001: MSize:u NSize:u KSize:u AType:u BType:u CType:u
  ResultType:u saturatingAccumulation:u scope:u
PhysicalDeviceFeatures: robustBufferAccess:u fullDrawIndexUint32:u imageCubeArray:u
  independentBlend:u geometryShader:u tessellationShader:u sampleRateShading:u dualSrcBlend:u
  logicOp:u multiDrawIndirect:u drawIndirectFirstInstance:u depthClamp:u depthBiasClamp:u
  fillModeNonSolid:u depthBounds:u wideLines:u largePoints:u alphaToOne:u multiViewport:u
  samplerAnisotropy:u textureCompressionETC2:u textureCompressionASTC_LDR:u textureCompressionBC:u
  occlusionQueryPrecise:u pipelineStatisticsQuery:u vertexPipelineStoresAndAtomics:u
  fragmentStoresAndAtomics:u shaderTessellationAndGeometryPointSize:u shaderImageGatherExtended:u
  shaderStorageImageExtendedFormats:u shaderStorageImageMultisample:u
  shaderStorageImageReadWithoutFormat:u shaderStorageImageWriteWithoutFormat:u
  shaderUniformBufferArrayDynamicIndexing:u shaderSampledImageArrayDynamicIndexing:u
  shaderStorageBufferArrayDynamicIndexing:u shaderStorageImageArrayDynamicIndexing:u
  shaderClipDistance:u shaderCullDistance:u shaderFloat64:u shaderInt64:u shaderInt16:u
  shaderResourceResidency:u shaderResourceMinLod:u sparseBinding:u sparseResidencyBuffer:u
  sparseResidencyImage2D:u sparseResidencyImage3D:u sparseResidency2Samples:u
  sparseResidency4Samples:u sparseResidency8Samples:u sparseResidency16Samples:u
  sparseResidencyAliased:u variableMultisampleRate:u inheritedQueries:u
PhysicalDeviceFeatures2 1000059000: features:=PhysicalDeviceFeatures
PhysicalDeviceBufferDeviceAddressFeatures 1000257000: bufferDeviceAddress:u
  bufferDeviceAddressCaptureReplay:u bufferDeviceAddressMultiDevice:u
PhysicalDeviceShaderFloat16Int8Features 1000082000: shaderFloat16:u shaderInt8:u
PhysicalDevice8BitStorageFeatures 1000177000: storageBuffer8BitAccess:u
  uniformAndStorageBuffer8BitAccess:u storagePushConstant8:u
PhysicalDevice16BitStorageFeatures 1000083000: storageBuffer16BitAccess:u
  uniformAndStorageBuffer16BitAccess:u storagePushConstant16:u storageInputOutput16:u
PhysicalDeviceShaderAtomicInt64Features 1000180000: shaderBufferInt64Atomics:u
  shaderSharedInt64Atomics:u
PhysicalDeviceShaderAtomicFloatFeaturesEXT 1000260000: shaderBufferFloat32Atomics:u
  shaderBufferFloat32AtomicAdd:u shaderBufferFloat64Atomics:u shaderBufferFloat64AtomicAdd:u
  shaderSharedFloat32Atomics:u shaderSharedFloat32AtomicAdd:u shaderSharedFloat64Atomics:u
  shaderSharedFloat64AtomicAdd:u shaderImageFloat32Atomics:u shaderImageFloat32AtomicAdd:u
  sparseImageFloat32Atomics:u sparseImageFloat32AtomicAdd:u
PhysicalDeviceVulkanMemoryModelFeatures 1000211000: vulkanMemoryModel:u
  vulkanMemoryModelDeviceScope:u vulkanMemoryModelAvailabilityVisibilityChains:u
PhysicalDeviceShaderSubgroupExtendedTypesFeatures 1000175000: shaderSubgroupExtendedTypes:u
PhysicalDeviceSubgroupSizeControlFeatures 1000225002: subgroupSizeControl:u computeFullSubgroups:u
PhysicalDeviceTimelineSemaphoreFeatures 1000207000: timelineSemaphore:u
PhysicalDeviceMaintenance4Features 1000413000: maintenance4:u
MemoryType: propertyFlags:u heapIndex:u
MemoryHeap: size:U flags:u
PhysicalDeviceMemoryProperties: memoryTypeCount:u memoryTypes:=MemoryType*32 memoryHeapCount:u
  memoryHeaps:=MemoryHeap*16
Extent3D: width:u height:u depth:u
QueueFamilyProperties: queueFlags:u queueCount:u timestampValidBits:u
  minImageTransferGranularity:=Extent3D
DeviceQueueCreateInfo 2: flags:u queueFamilyIndex:u queueCount:u pQueuePriorities:p
DeviceCreateInfo 3: flags:u queueCreateInfoCount:u pQueueCreateInfos:p enabledLayerCount:u
  ppEnabledLayerNames:p enabledExtensionCount:u ppEnabledExtensionNames:p pEnabledFeatures:p
BufferCreateInfo 12: flags:u size:U usage:u sharingMode:u queueFamilyIndexCount:u
  pQueueFamilyIndices:p
MemoryRequirements: size:U alignment:U memoryTypeBits:u
MemoryAllocateInfo 5: allocationSize:U memoryTypeIndex:u
MemoryAllocateFlagsInfo 1000060000: flags:u deviceMask:u
BufferDeviceAddressInfo 1000244001: buffer:U
ImportMemoryHostPointerInfoEXT 1000178000: handleType:u pHostPointer:p
MemoryHostPointerPropertiesEXT 1000178001: memoryTypeBits:u
ExternalMemoryBufferCreateInfo 1000072000: handleTypes:u
PhysicalDeviceExternalBufferInfo 1000071002: flags:u usage:u handleType:u
ExternalMemoryProperties: externalMemoryFeatures:u exportFromImportedHandleTypes:u
  compatibleHandleTypes:u
ExternalBufferProperties 1000071003: externalMemoryProperties:=ExternalMemoryProperties
BufferCopy: srcOffset:U dstOffset:U size:U
ShaderModuleCreateInfo 16: flags:u codeSize:z pCode:p
PushConstantRange: stageFlags:u offset:u size:u
PipelineLayoutCreateInfo 30: flags:u setLayoutCount:u pSetLayouts:p pushConstantRangeCount:u
  pPushConstantRanges:p
SpecializationMapEntry: constantID:u offset:u size:z
SpecializationInfo: mapEntryCount:u pMapEntries:p dataSize:z pData:p
PipelineShaderStageCreateInfo 18: flags:u stage:u module:U pName:s pSpecializationInfo:p
PipelineShaderStageRequiredSubgroupSizeCreateInfo 1000225001: requiredSubgroupSize:u
ComputePipelineCreateInfo 29: flags:u stage:=PipelineShaderStageCreateInfo layout:U
  basePipelineHandle:U basePipelineIndex:i
PipelineCacheCreateInfo 17: flags:u initialDataSize:z pInitialData:p
DescriptorSetLayoutBinding: binding:u descriptorType:u descriptorCount:u stageFlags:u
  pImmutableSamplers:p
DescriptorSetLayoutCreateInfo 32: flags:u bindingCount:u pBindings:p
DescriptorPoolSize: type:u descriptorCount:u
DescriptorPoolCreateInfo 33: flags:u maxSets:u poolSizeCount:u pPoolSizes:p
DescriptorSetAllocateInfo 34: descriptorPool:U descriptorSetCount:u pSetLayouts:p
DescriptorBufferInfo: buffer:U offset:U range:U
WriteDescriptorSet 35: dstSet:U dstBinding:u dstArrayElement:u descriptorCount:u descriptorType:u
  pImageInfo:p pBufferInfo:p pTexelBufferView:p
CommandPoolCreateInfo 39: flags:u queueFamilyIndex:u
CommandBufferAllocateInfo 40: commandPool:U level:u commandBufferCount:u
CommandBufferInheritanceInfo 41: renderPass:U subpass:u framebuffer:U occlusionQueryEnable:u
  queryFlags:u pipelineStatistics:u
CommandBufferBeginInfo 42: flags:u pInheritanceInfo:p
MemoryBarrier 46: srcAccessMask:u dstAccessMask:u
SubmitInfo 4: waitSemaphoreCount:u pWaitSemaphores:p pWaitDstStageMask:p commandBufferCount:u
  pCommandBuffers:p signalSemaphoreCount:u pSignalSemaphores:p
TimelineSemaphoreSubmitInfo 1000207003: waitSemaphoreValueCount:u pWaitSemaphoreValues:p
  signalSemaphoreValueCount:u pSignalSemaphoreValues:p
SemaphoreTypeCreateInfo 1000207002: semaphoreType:u initialValue:U
SemaphoreCreateInfo 9: flags:u
SemaphoreWaitInfo 1000207004: flags:u semaphoreCount:u pSemaphores:p pValues:p
QueryPoolCreateInfo 11: flags:u queryType:u queryCount:u pipelineStatistics:u
"""

FUNCTIONS = """
vkGetDeviceProcAddr: p ps
vkCreateInstance: r ppp
vkDestroyInstance: v pp
vkEnumerateInstanceVersion: r p
vkEnumerateInstanceExtensionProperties: r spp
vkEnumerateInstanceLayerProperties: r pp
vkEnumeratePhysicalDevices: r ppp
vkEnumerateDeviceExtensionProperties: r pspp
vkGetPhysicalDeviceProperties2: v pp
vkGetPhysicalDeviceProperties: v pp
vkGetPhysicalDeviceFeatures2: v pp
vkGetPhysicalDeviceMemoryProperties: v pp
vkGetPhysicalDeviceQueueFamilyProperties: v ppp
vkGetPhysicalDeviceExternalBufferProperties: v ppp
vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR: r ppp
vkCreateDevice: r pppp
vkCreateDebugUtilsMessengerEXT: r pppp
vkDestroyDebugUtilsMessengerEXT: v pUp
vkDestroyDevice: v pp
vkDeviceWaitIdle: r p
vkGetDeviceQueue: v puup
vkCreateBuffer: r pppp
vkDestroyBuffer: v pUp
vkGetBufferMemoryRequirements: v pUp
vkAllocateMemory: r pppp
vkFreeMemory: v pUp
vkBindBufferMemory: r pUUU
vkMapMemory: r pUUUup
vkGetBufferDeviceAddress: U pp
vkGetMemoryHostPointerPropertiesEXT: r pupp
vkCreateShaderModule: r pppp
vkDestroyShaderModule: v pUp
vkCreatePipelineLayout: r pppp
vkDestroyPipelineLayout: v pUp
vkCreateComputePipelines: r pUuppp
vkDestroyPipeline: v pUp
vkCreatePipelineCache: r pppp
vkDestroyPipelineCache: v pUp
vkGetPipelineCacheData: r pUpp
vkCreateDescriptorSetLayout: r pppp
vkDestroyDescriptorSetLayout: v pUp
vkCreateDescriptorPool: r pppp
vkDestroyDescriptorPool: v pUp
vkResetDescriptorPool: r pUu
vkAllocateDescriptorSets: r ppp
vkUpdateDescriptorSets: v pupup
vkCreateCommandPool: r pppp
vkDestroyCommandPool: v pUp
vkAllocateCommandBuffers: r ppp
vkBeginCommandBuffer: r pp
vkEndCommandBuffer: r p
vkCmdBindPipeline: v puU
vkCmdBindDescriptorSets: v puUuupup
vkCmdPushConstants: v pUuuup
vkCmdDispatch: v puuu
vkCmdPipelineBarrier: v puuuupupup
vkCmdExecuteCommands: v pup
vkCmdCopyBuffer: v pUUup
vkCmdResetQueryPool: v pUuu
vkCmdWriteTimestamp: v puUu
vkQueueSubmit: r pupU
vkCreateSemaphore: r pppp
vkDestroySemaphore: v pUp
vkWaitSemaphores: r ppU
vkGetSemaphoreCounterValue: r pUp
vkCreateQueryPool: r pppp
vkDestroyQueryPool: v pUp
vkGetQueryPoolResults: r pUuuzpUu
"""

# VkResult
TIMEOUT = 2
INCOMPLETE = 5
OUT_OF_MEMORY = (-1, -2)
DEVICE_LOST = -4
INVALID_EXTERNAL_HANDLE = -1000072003
RESULTS = {
    -1: "out of host memory",
    -2: "out of device memory",
    -3: "initialization failed",
    -4: "device lost",
    -5: "memory map failed",
    -6: "layer not present",
    -7: "extension not present",
    -8: "feature not present",
    -9: "incompatible driver",
    -10: "too many objects",
    -12: "fragmented pool",
    -13: "unknown error",
    -1000069000: "out of pool memory",
    -1000072003: "invalid external handle",
}

# VkPhysicalDeviceType, the best first
DEVICE_TYPES = {2: "discrete GPU", 1: "integrated GPU", 3: "virtual GPU", 4: "CPU", 0: "other"}
SOFTWARE = 4

QUEUE_GRAPHICS, QUEUE_COMPUTE = 1, 2
MEMORY_DEVICE_LOCAL, MEMORY_HOST_VISIBLE, MEMORY_HOST_COHERENT, MEMORY_HOST_CACHED = 1, 2, 4, 8
BUFFER_TRANSFER_SOURCE, BUFFER_TRANSFER_DESTINATION = 0x1, 0x2
BUFFER_STORAGE, BUFFER_DEVICE_ADDRESS = 0x20, 0x20000
ALLOCATE_DEVICE_ADDRESS = 0x2
EXTERNAL_HOST_ALLOCATION = 0x80
EXTERNAL_IMPORTABLE = 0x4
WHOLE_SIZE = 2**64 - 1

STAGE_COMPUTE, STAGE_TRANSFER, STAGE_HOST = 0x800, 0x1000, 0x4000
ACCESS_SHADER_READ, ACCESS_SHADER_WRITE = 0x20, 0x40
ACCESS_TRANSFER_READ, ACCESS_TRANSFER_WRITE = 0x800, 0x1000
ACCESS_HOST_READ = 0x2000

SHADER_STAGE_COMPUTE = 0x20
BIND_POINT_COMPUTE = 1
DESCRIPTOR_STORAGE_BUFFER, DESCRIPTOR_STORAGE_BUFFER_DYNAMIC = 7, 9
STAGE_FULL_SUBGROUPS = 2
POOL_RESET_BUFFER = 2
ONE_TIME_SUBMIT, SIMULTANEOUS_USE = 1, 4
LEVEL_PRIMARY, LEVEL_SECONDARY = 0, 1
SEMAPHORE_TIMELINE = 1
QUERY_TIMESTAMP = 2
QUERY_64_BITS, QUERY_WAIT = 1, 2

# Of VK_KHR_cooperative_matrix: a VkScopeKHR, and the words of profiles for VkComponentTypeKHR.
SCOPE_SUBGROUP = 3
COMPONENT_TYPES = {0: "f16", 1: "f32", 2: "f64", 3: "s8", 5: "s32", 7: "u8", 9: "u32"}
SUBGROUP_OPERATIONS = {
    "basic": 0x1,
    "vote": 0x2,
    "arithmetic": 0x4,
    "ballot": 0x8,
    "shuffle": 0x10,
    "shuffle_relative": 0x20,
}

ENUMERATE_PORTABILITY = 1
SEVERITY_WARNING, SEVERITY_ERROR = 0x100, 0x1000
MESSAGE_VALIDATION = 0x2
ENABLE_SYNCHRONIZATION_VALIDATION = 4
LAYER_SETTING_BOOL = 0
BOTTOM_OF_PIPE = 0x2000
