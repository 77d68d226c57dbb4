import os; os.environ['TF_CPP_MIN_LOG_LEVEL']='3'
import sys; sys.path.insert(0,'../../../scripts/oracle')
import reference
from reference import tf
import numpy as np, h5py, qkeras
from qkeras import *
L=tf.keras.layers
rng=np.random.default_rng(5)
x=i=L.Input((16,),name='in')
x=QActivation(quantized_bits(8,3,alpha=1),name='q_in')(x)
for n,u in enumerate((32,16)):
    x=QDense(u,kernel_quantizer=quantized_bits(6,0,alpha=1),name=f'd{n}',bias_initializer=tf.keras.initializers.RandomNormal(0,0.3))(x)
    x=QActivation(quantized_relu(7,2),name=f'r{n}')(x)
x=QDense(5,kernel_quantizer=quantized_bits(6,0,alpha=1),name='out',bias_initializer=tf.keras.initializers.RandomNormal(0,0.3))(x)
m=tf.keras.Model(i,x); m.save('model.h5',include_optimizer=False)
ev=(rng.normal(size=(2000,16))*3).astype('f4')
with h5py.File('events.h5','w') as f: f['events']=ev
